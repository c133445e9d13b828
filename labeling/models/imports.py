"""Imports of uploaded files: work for a worker, and what came of it."""

from __future__ import annotations

from enum import StrEnum

from django.db import models
from django.db.models import Q

from labeling.models.fields import choices, one_of, uid_field


class ImportState(StrEnum):
    """Where an import stands. COUNTED: a dry run is done, nothing was written."""

    UPLOADED = "uploaded"
    WAITING = "waiting"
    RUNNING = "running"
    COUNTED = "counted"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Import(models.Model):
    """An uploaded file and its way into the project.

    The file stands under VAR_DIR/uploads by the name of `uid`, until it is imported or discarded.
    `dry_run` says what the state and the report are about. A worker holds the row until
    `lease_until`; `attempt` tells a worker whose lease ran out that another one has taken over.
    """

    uid = uid_field()
    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="imports")
    file_name = models.CharField(max_length=200)
    size = models.BigIntegerField()
    state = models.CharField(
        max_length=10, choices=choices(ImportState), default=ImportState.UPLOADED
    )
    dry_run = models.BooleanField(default=False)
    options = models.JSONField(default=dict, blank=True)
    report = models.JSONField(default=dict, blank=True)
    reason = models.TextField(blank=True)
    attempt = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey("labeling.User", models.PROTECT, related_name="+")
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=one_of("state", ImportState), name="import_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="failed") ^ Q(reason=""), name="import_reason_iff_failed"
            ),
            models.CheckConstraint(condition=Q(size__gte=0), name="import_size_not_negative"),
        ]
        indexes = [
            # selectors.imports: a project's imports, newest first
            models.Index(fields=["project", "-id"], name="import_project_newest"),
            # import_jobs.unattended: the few that wait or run
            models.Index(
                fields=["state"],
                condition=Q(state__in=["waiting", "running"]),
                name="import_unfinished",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.state})"
