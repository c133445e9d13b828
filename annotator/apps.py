"""The composing application's registration: its commands, and the Celery app in every process."""

from django.apps import AppConfig


class AnnotatorConfig(AppConfig):
    name = "annotator"

    def ready(self) -> None:
        """Make `celery.current_app` ours: labeling.dispatch sends through it."""
        from annotator import celery  # noqa: F401
