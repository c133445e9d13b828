"""The REST API: thin translators between JSON, selectors and services."""
