"""HTML views: thin translators between requests, selectors and services."""
