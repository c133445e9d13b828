"""Keep what a person has labeled so far, and the lease with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from labeling.domain.drafts import Draft
from labeling.domain.refusals import Refusal
from labeling.models import Assignment, Project, User
from labeling.models.compiled import CompiledUpdate, given
from labeling.services.assignments import places, rows


class StaleDraft(Refusal):
    """A newer draft exists: another tab or device saved after this page was loaded."""

    code = "stale_draft"

    def __init__(self, message: str, /, draft: Draft, version: int) -> None:
        super().__init__(message)
        self.details = {"draft": draft.to_dict(), "version": version}


@transaction.atomic
def save_draft(
    *,
    by: User,
    uid: str,
    version: int,
    draft: Mapping[str, Any],
    active_seconds: float,
    now: datetime,
    within: Project | None = None,
) -> Assignment:
    """Keep the labels so far. `version` is the draft_version that the page was working on.

    The lease is renewed, unless it had run out and others took all places; the draft is kept
    even then, and a submit still counts.
    """
    item = rows.open_item(by, uid, within)
    check_version(item, version)
    item.draft = rows.read(item, draft).to_dict()
    item.draft_version += 1
    item.active_seconds = max(item.active_seconds, float(active_seconds))
    was_fresh = rows.is_fresh(item, item.project, now)
    places.renewed(item, item.project, now)
    _keep(pk=item.pk, **{name: getattr(item, name) for name in _KEPT})
    if not (item.ahead or was_fresh):  # both are renewed together
        _renew_ahead(item, now)
    return item


_KEPT = ("draft", "draft_version", "active_seconds", "expires_at")


@CompiledUpdate
def _keep() -> tuple[QuerySet[Assignment], Sequence[str]]:
    return Assignment.objects.filter(pk=given("pk")), _KEPT


def check_version(item: Assignment, version: int) -> None:
    """Raise StaleDraft with the server's draft unless the page knew the newest one."""
    if version != item.draft_version:
        raise StaleDraft(
            "a newer draft of this item was saved elsewhere",
            draft=rows.read(item, item.draft),
            version=item.draft_version,
        )


def _renew_ahead(item: Assignment, now: datetime) -> None:
    Assignment.objects.filter(
        project=item.project_id,
        user=item.user_id,
        ahead=True,
        submitted_at=None,
        skipped_at=None,
        expires_at__gt=now,
    ).update(expires_at=rows.lease_end(item.project, now))
