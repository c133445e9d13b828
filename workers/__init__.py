"""Celery tasks and engines: what labels, generates, scores and trains."""
