"""Compose the application: settings, urls, the Celery app, the embedded servers."""

__version__ = "0.3.0"
