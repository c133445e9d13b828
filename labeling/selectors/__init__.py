"""Reads: typed rows for pages and API. Never write."""
