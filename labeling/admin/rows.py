"""Every kind of row, to be searched, filtered and read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from labeling import models
from labeling.admin.base import Readable

_BY_UID = ("uid__exact",)


def _readable(
    model: Any,
    *columns: str,
    related: tuple[str, ...] = (),
    search: tuple[str, ...] = (),
    filters: tuple[str, ...] = (),
) -> None:
    options = {
        "list_display": columns,
        "list_select_related": related or False,
        "search_fields": search,
        "list_filter": filters,
    }
    admin.site.register(model, type(f"{model.__name__}Admin", (Readable,), options))


_readable(
    models.Membership, "user", "project", "role", "created_at",
    related=("user", "project"), search=("user__username",), filters=("role", "project"),
)  # fmt: skip
_readable(
    models.Problem, "uid", "external_id", "source", "split", "created_at",
    search=(*_BY_UID, "external_id__exact", "content_hash__exact"), filters=("project",),
)  # fmt: skip
_readable(
    models.Solution, "uid", "generator", "final_answer_correct", "created_at",
    search=(*_BY_UID, "external_id__exact", "content_hash__exact", "problem__uid__exact"),
    filters=("project",),
)  # fmt: skip
_readable(
    models.Labeler, "name", "kind", "project", "active", "created_at",
    related=("project",), search=(*_BY_UID, "name"), filters=("kind", "active", "project"),
)  # fmt: skip
_readable(
    models.Verdict, "id", "labeler", "state", "first_error", "informed", "created_at",
    related=("labeler",), search=("solution__uid__exact", "labeler__uid__exact"),
)  # fmt: skip
_readable(
    models.Rollout, "id", "labeler", "step", "sample", "correct", "finish_reason",
    related=("labeler",), search=("solution__uid__exact",),
)  # fmt: skip
_readable(
    models.Decision, "solution_id", "state", "first_error", "policy_version", "updated_at",
    search=("solution__uid__exact",), filters=("state", "project"),
)  # fmt: skip
_readable(
    models.Assignment, "uid", "user", "purpose", "submitted_at", "skipped_at", "expires_at",
    related=("user",), search=(*_BY_UID, "user__username__exact", "solution__uid__exact"),
    filters=("purpose", "project"),
)  # fmt: skip
_readable(
    models.GoldItem, "solution_id", "use", "active", "added_by", "added_at",
    related=("added_by",), search=("solution__uid__exact",), filters=("use", "active", "project"),
)  # fmt: skip
_readable(
    models.ExamGrant, "user", "project", "reason", "granted_by", "granted_at",
    related=("user", "project", "granted_by"), search=("user__username",), filters=("project",),
)  # fmt: skip
_readable(
    models.AnswerCorrection, "problem_id", "project", "state", "created_by", "created_at",
    related=("project", "created_by"), search=("problem__uid__exact",),
    filters=("state", "project"),
)  # fmt: skip
_readable(
    models.Guideline, "project", "version", "change", "created_by", "created_at",
    related=("project", "created_by"), filters=("project",),
)  # fmt: skip
_readable(
    models.Acknowledgement, "user", "guideline", "acknowledged_at",
    related=("user", "guideline"), search=("user__username",),
)  # fmt: skip
_readable(
    models.Snapshot, "name", "project", "content_hash", "frozen_at",
    related=("project",), search=(*_BY_UID, "name", "content_hash__exact"), filters=("project",),
)  # fmt: skip
_readable(
    models.Event, "at", "actor", "action", "subject", "project_id",
    related=("actor",), search=("subject__exact", "action__exact", "actor__username__exact"),
)  # fmt: skip
_readable(
    models.Claim, "id", "run", "item", "expires_at", related=("run",), search=("run__uid__exact",)
)
_readable(
    models.JudgePrompt, "name", "version", "project", "created_at",
    related=("project",), search=("name",), filters=("project",),
)  # fmt: skip
_readable(
    models.QueuePresence, "queue", "workers", "seen_at",
)  # fmt: skip
