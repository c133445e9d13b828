"""Rows that an operator also acts on. Every action is a service's: it checks, writes, and leaves
an audit event.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from labeling import models
from labeling.admin.base import Readable, carry_out
from labeling.services import decisions, import_jobs, rollups, runs, tokens, training

admin.site.register(models.User, UserAdmin)


def _action(label: str) -> Any:
    return admin.action(description=label, permissions=["operate"])


@admin.register(models.Project)
class ProjectAdmin(Readable):
    """Campaigns."""

    list_display = ("name", "uid", "policy_version", "created_by", "created_at")
    list_select_related = ("created_by",)
    search_fields = ("name", "uid__exact")
    actions = ("recompute", "recount")

    @_action("Recompute all decisions from their verdicts")
    def recompute(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Recompute decisions."""
        carry_out(request, rows, lambda by, row: decisions.recompute(by=by, project=row))

    @_action("Count what the dashboards show all anew")
    def recount(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Have the boards counted anew."""
        carry_out(request, rows, lambda _, row: rollups.forget(project=row))


@admin.register(models.Run)
class RunAdmin(Readable):
    """Labeling and generation runs."""

    list_display = ("uid", "project", "kind", "labeler", "state", "reason", "created_at")
    list_select_related = ("project", "labeler")
    list_filter = ("state", "kind", "project")
    search_fields = ("uid__exact", "labeler__name", "engine__name__exact")
    actions = ("pause", "resume", "cancel")

    @_action("Pause")
    def pause(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Pause runs."""
        carry_out(request, rows, lambda by, row: runs.pause(by=by, run=row))

    @_action("Resume")
    def resume(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Resume runs."""
        carry_out(request, rows, lambda by, row: runs.resume(by=by, run=row))

    @_action("Cancel: what is labeled stays")
    def cancel(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Cancel runs."""
        carry_out(request, rows, lambda by, row: runs.cancel(by=by, run=row))


@admin.register(models.Import)
class ImportAdmin(Readable):
    """Uploaded files."""

    list_display = ("uid", "project", "file_name", "size", "state", "created_by", "created_at")
    list_select_related = ("project", "created_by")
    list_filter = ("state", "project")
    search_fields = ("uid__exact", "file_name")
    actions = ("cancel",)

    @_action("Cancel: what is imported stays")
    def cancel(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Cancel imports."""
        now = timezone.now()
        carry_out(request, rows, lambda by, row: import_jobs.cancel(by=by, job=row, now=now))


@admin.register(models.TrainingRun)
class TrainingRunAdmin(Readable):
    """Trainings of reward models."""

    list_display = ("name", "project", "state", "reason", "created_at")
    list_select_related = ("project",)
    list_filter = ("state", "project")
    search_fields = ("uid__exact", "name")
    actions = ("retry",)

    @_action("Train again")
    def retry(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Retry failed trainings."""
        carry_out(request, rows, lambda by, row: training.retry(by=by, run=row))


@admin.register(models.PRM)
class PrmAdmin(Readable):
    """Reward models."""

    list_display = ("uid", "project", "training_run", "champion", "promoted_at")
    list_select_related = ("project", "training_run")
    list_filter = ("champion", "project")
    search_fields = ("uid__exact", "training_run__name")
    actions = ("promote",)

    @_action("Make it the champion, also back to an earlier one")
    def promote(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Promote a model."""
        now = timezone.now()
        carry_out(request, rows, lambda by, row: training.promote(by=by, prm=row, now=now))


@admin.register(models.ApiToken)
class TokenAdmin(Readable):
    """Tokens; their hash is not shown."""

    list_display = ("name", "prefix", "user", "expires_at", "revoked_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("prefix__exact", "name", "user__username__exact")
    exclude = ("token_hash",)
    actions = ("revoke",)

    @_action("Revoke")
    def revoke(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Revoke tokens."""
        now = timezone.now()
        carry_out(request, rows, lambda by, row: tokens.revoke(by=by, token=row, now=now))
