"""Reads of a project's guidelines: the version that holds, its history, who has read what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.http import Http404

from labeling.domain.roles import Action, Role, can
from labeling.domain.text_changes import ChangedLine, changes
from labeling.models import Acknowledgement, Guideline, Membership, Project, User
from labeling.models.compiled import Compiled, given


@dataclass(frozen=True, slots=True)
class Unread:
    """What a person has to read before the next item; `since` is what they read last, 0 nothing."""

    guideline: Guideline
    since: int
    notes: tuple[tuple[int, str], ...]
    """(version, what its author says has changed), oldest first."""
    lines: tuple[ChangedLine, ...]


@dataclass(frozen=True, slots=True)
class Reader:
    """A member who labels, and the newest version that they have acknowledged."""

    username: str
    role: Role
    version: int | None
    at: datetime | None
    waits: bool
    """A version that needs it is not acknowledged."""


def current(project: Project) -> Guideline | None:
    """Return the version that holds."""
    return _versions(project).first()


def version_of(project: Project, version: int) -> Guideline:
    """Return one version or raise Http404."""
    found = _versions(project).filter(version=version).first()
    if found is None:
        raise Http404("no such version")
    return found


def history(project: Project) -> list[Guideline]:
    """Return all versions, newest first, without their texts."""
    return list(_versions(project).defer("text"))


def compared(before: Guideline | None, after: Guideline) -> list[ChangedLine]:
    """Return what changed between two versions."""
    return changes(before.text if before else "", after.text)


def must_read(user: User, project: Project) -> bool:
    """Say whether the person has to read the guidelines before the next item."""
    return Guideline.objects.filter(_unread_by(user, project)).exists()


def while_labeling(user: User, project: Project) -> tuple[Guideline | None, bool]:
    """Return the version that holds and `must_read`, by one query."""
    held: Any = _held.first(user=user.pk, project=project.pk)
    return held, bool(held and held.waits)


@Compiled
def _held() -> QuerySet[Guideline]:
    user, project = given("user"), given("project")
    waits = Exists(Guideline.objects.filter(_unread_by(user, project)))
    return Guideline.objects.filter(project=project).annotate(waits=waits).order_by("-version")[:1]


def _unread_by(user: Any, project: Any) -> Q:
    """Return the condition of versions that the person has to read; who wrote one has read it."""
    read = Acknowledgement.objects.filter(
        user=user, guideline__project=project, guideline__version__gte=OuterRef("version")
    )
    wrote = Guideline.objects.filter(
        project=project, created_by=user, version__gte=OuterRef("version")
    )
    return Q(~Exists(read), ~Exists(wrote), project=project, needs_acknowledgement=True)


def unread(user: User, project: Project) -> Unread | None:
    """Return what the person is shown to acknowledge, None while there are no guidelines."""
    now = current(project)
    if now is None:
        return None
    mine = Q(acknowledgements__user=user) | Q(created_by=user)
    since = _versions(project).filter(mine).aggregate(last=Max("version"))["last"] or 0
    newer = _versions(project).filter(version__gt=since).order_by("version")
    notes = tuple(newer.exclude(change="").values_list("version", "change"))
    lines = compared(version_of(project, since), now) if since else []
    return Unread(now, since, notes, tuple(lines))


def readers(project: Project) -> list[Reader]:
    """Return the members who label, those who have to read something first."""
    read = _last_read(project)
    needed = _versions(project).filter(needs_acknowledgement=True).first()
    members = Membership.objects.filter(project=project).values_list(
        "user_id", "user__username", "role"
    )
    found = []
    for user_id, username, role in members:
        version, at = read.get(user_id, (None, None))
        waits = needed is not None and (version or 0) < needed.version
        if can(Role(role), Action.ANNOTATE):
            found.append(Reader(username, Role(role), version, at, waits))
    return sorted(found, key=lambda reader: (not reader.waits, reader.username))


def _last_read(project: Project) -> dict[int, tuple[int, datetime]]:
    """Return (version, when) by user; to write a version is to read it."""
    acknowledged = Acknowledgement.objects.filter(guideline__project=project)
    written = Guideline.objects.filter(project=project)
    rows = [
        *acknowledged.values_list("user_id", "guideline__version", "acknowledged_at"),
        *written.values_list("created_by_id", "version", "created_at"),
    ]
    return {user: (version, at) for user, version, at in sorted(rows, key=lambda row: row[1])}


def _versions(project: Project) -> QuerySet[Guideline]:
    return (
        Guideline.objects.filter(project=project).select_related("created_by").order_by("-version")
    )
