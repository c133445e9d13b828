"""A person's items as locked rows, and their leases' length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from labeling.domain.drafts import Draft, DraftError, read_draft
from labeling.domain.refusals import Invalid, NotFound, Refusal
from labeling.models import Assignment, Project, User
from labeling.models.compiled import Compiled, CompiledUpdate, given

_FRESH = timedelta(seconds=30)
"""The shortest lease is a minute."""


class Closed(Refusal):
    """The item was submitted or skipped already."""

    code = "closed"


def locked(by: User, uid: str, within: Project | None = None) -> Assignment:
    """Return the person's item, locked, with its project and solution.

    `within`: the project that the request named; an item of another one is not found.
    """
    item = _locked.first(uid=uid, user=by.pk)
    if item is None or (within is not None and item.project_id != within.pk):
        raise NotFound("this item is not leased to you")
    if within is not None:
        item.project = within
    return item


def project_of(by: User, uid: str, within: Project | None = None) -> Project:
    """Return the project of the person's item; refuse as `locked` does."""
    item = Assignment.objects.select_related("project").filter(uid=uid, user=by).first()
    if item is None or (within is not None and item.project_id != within.pk):
        raise NotFound("this item is not leased to you")
    return item.project


def open_item(by: User, uid: str, within: Project | None = None) -> Assignment:
    """Return the person's open item, locked; raise Closed for a submitted or skipped one."""
    # Two tabs submit at once: the second waits for the row and finds it closed.
    item = locked(by, uid, within)
    check_open(item)
    return item


def check_open(item: Assignment) -> None:
    """Raise Closed for a submitted or skipped item."""
    if item.submitted_at or item.skipped_at:
        raise Closed("this item was submitted or skipped already")


def all_open(by: User, project: Project) -> list[Assignment]:
    """Return the person's open items, locked: the current one first, then the one ahead."""
    # Both are asked for, never one of them alone: a submit that promotes the item ahead while we
    # wait for its row would hide it from a query for the current one.
    return _all_open(user=by.pk, project=project.pk)


def is_fresh(item: Assignment, project: Project, now: datetime) -> bool:
    """Say whether the lease was renewed a moment ago: no need to write it again."""
    return item.expires_at > lease_end(project, now) - _FRESH


def lease_end(project: Project, now: datetime) -> datetime:
    """Return when a lease that is taken or renewed now runs out."""
    return now + timedelta(minutes=project.policy.lease_minutes)


def promote(by: User, project: Project) -> None:
    """Make the item ahead the current one, which was just concluded."""
    _make_current(project=project.pk, user=by.pk, ahead=False)


def read(item: Assignment, draft: Mapping[str, Any]) -> Draft:
    """Return the browser's labels of this item, checked."""
    try:
        return read_draft(draft, len(item.solution.steps))
    except DraftError as error:
        raise Invalid(error.phrase) from error


def _to_be_locked() -> QuerySet[Assignment]:
    return Assignment.objects.select_for_update(of=("self",)).select_related("solution")


@Compiled
def _locked() -> QuerySet[Assignment]:
    return _to_be_locked().filter(uid=given("uid"), user=given("user"))


@CompiledUpdate
def _make_current() -> tuple[QuerySet[Assignment], Sequence[str]]:
    own = Assignment.objects.filter(project=given("project"), user=given("user"))
    return own.filter(ahead=True, submitted_at=None, skipped_at=None), ["ahead"]


@Compiled
def _all_open() -> QuerySet[Assignment]:
    own = _to_be_locked().filter(project=given("project"), user=given("user"))
    return own.filter(submitted_at=None, skipped_at=None).order_by("ahead")
