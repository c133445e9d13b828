"""Plain Python: no Django, Celery, torch, clock or randomness."""
