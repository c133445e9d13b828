"""Webhooks of a project and their logs, for pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, Subquery
from django.http import Http404

from labeling.domain.roles import Action, Role, can
from labeling.domain.webhooks import Hook
from labeling.models import Delivery, Membership, Project, User, Webhook
from labeling.models.fields import is_uid

SHOWN = 100


@dataclass(frozen=True, slots=True)
class Row:
    """One webhook; `state` and `at` are its last delivery's, None before the first."""

    uid: str
    url: str
    hooks: tuple[Hook, ...]
    active: bool
    state: str | None
    at: datetime | None


def webhooks_of(project: Project) -> list[Row]:
    """Return the project's webhooks, newest first, in one query."""
    last = Delivery.objects.filter(webhook=OuterRef("pk")).order_by("-pk")
    rows = Webhook.objects.filter(project=project).order_by("-pk")
    found = rows.annotate(
        last_state=Subquery(last.values("state")[:1]),
        last_at=Subquery(last.values("created_at")[:1]),
    )
    return [
        Row(row.uid, row.url, tuple(map(Hook, row.events)), row.active, row.last_state, row.last_at)
        for row in found
    ]


def deliveries_of(webhook: Webhook) -> list[Delivery]:
    """Return the newest deliveries."""
    return list(Delivery.objects.filter(webhook=webhook).order_by("-pk")[:SHOWN])


def delivery_of(webhook: Webhook, uid: str) -> Delivery:
    """Return one delivery of the webhook or raise Http404."""
    found = Delivery.objects.filter(webhook=webhook, uid=uid).first() if is_uid(uid) else None
    if found is None:
        raise Http404("no such delivery")
    return found


def managed_by(user: User) -> list[Project]:
    """Return the projects whose webhooks the user may keep, by name."""
    rows = Membership.objects.filter(user=user).select_related("project").order_by("project__name")
    return [row.project for row in rows if can(Role(row.role), Action.MANAGE)]
