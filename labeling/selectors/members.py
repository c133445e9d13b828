"""Reads of the settings page: members and invitations, and how far the decisions have followed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F
from django.http import Http404

from labeling.domain.roles import Role
from labeling.models import Decision, Invitation, Membership, Project, User


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a project."""

    id: int
    username: str
    role: Role
    since: datetime
    last_login: datetime | None
    invited_until: datetime | None
    """The link to set a password is good until then; None for who has used it, or needs none."""


@dataclass(frozen=True, slots=True)
class CatchingUp:
    """Decisions that already follow the policy, of all."""

    done: int
    total: int


def members(project: Project) -> list[Member]:
    """Return the members by name."""
    rows = (
        Membership.objects.filter(project=project)
        .select_related("user", "user__invitation")
        .order_by("user__username")
    )
    return [
        Member(
            row.user.pk,
            row.user.username,
            Role(row.role),
            row.created_at,
            row.user.last_login,
            _until(row.user),
        )
        for row in rows
    ]


def _until(user: User) -> datetime | None:
    invitation = getattr(user, "invitation", None)
    waits = invitation is not None and invitation.used_at is None
    return invitation.expires_at if waits and invitation is not None else None


def member(project: Project, number: int) -> User:
    """Return a member's account or raise Http404."""
    found = Membership.objects.filter(project=project, user=number).select_related("user").first()
    if found is None:
        raise Http404("no such member")
    return found.user


def member_named(project: Project, username: str) -> User:
    """Return a member's account by its name or raise Http404."""
    members = Membership.objects.filter(project=project, user__username=username)
    found = members.select_related("user").first()
    if found is None:
        raise Http404("no such member")
    return found.user


def invited(token_hash: str, now: datetime) -> User | None:
    """Return whom an unused, unexpired link invites."""
    found = (
        Invitation.objects.filter(token_hash=token_hash, used_at=None, expires_at__gt=now)
        .select_related("user")
        .first()
    )
    return found.user if found and found.user.is_active else None


def catching_up(project: Project) -> CatchingUp | None:
    """Return how far the decisions have followed the policy; None when all have."""
    if project.decided_from == 1:
        return None
    rows = Decision.objects.filter(project=project)
    total = rows.count()
    old = rows.filter(policy_version__lt=F("project__decided_from")).count()
    return CatchingUp(total - old, total)
