"""The audit trail. Rows are only ever added: a database trigger refuses the rest."""

from __future__ import annotations

from django.db import models


class Event(models.Model):
    """Who did what to which row, written in the same transaction as the change."""

    project = models.ForeignKey(
        "labeling.Project", models.DO_NOTHING, null=True, blank=True, db_constraint=False
    )
    actor = models.ForeignKey("labeling.User", models.PROTECT, related_name="events")
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=60, blank=True)
    details = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            # the project's history page, newest first
            models.Index(fields=["project", "-id"], name="event_project_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"
