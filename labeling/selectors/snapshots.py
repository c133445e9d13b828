"""What the page of one snapshot shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from labeling.domain.data_cards import REASONS
from labeling.domain.exports import FORMATS
from labeling.domain.roles import Action, Role, can
from labeling.models import Membership, Problem, Project, Snapshot, User

SOURCES_SHOWN = 30


@dataclass(frozen=True, slots=True)
class FormatRow:
    """A format of the snapshot: `state` is absent, waiting, written or failed."""

    name: str
    title: str
    lacks: tuple[str, ...]
    state: str
    report: Mapping[str, Any]


def under_way(snapshot: Snapshot) -> bool:
    """Say whether a worker has to do something for it, or does."""
    if not snapshot.frozen_at:
        return not snapshot.reason
    return not all(snapshot.formats.values())


def formats_of(snapshot: Snapshot) -> list[FormatRow]:
    """Return every format there is, with what the snapshot has of it."""
    return [
        FormatRow(form.name, form.title, tuple(part.value for part in form.lacks),
                  _state(snapshot.formats.get(form.name)), snapshot.formats.get(form.name) or {})
        for form in FORMATS
    ]  # fmt: skip


def left_out_of(snapshot: Snapshot) -> list[tuple[str, int]]:
    """Return why solutions stayed out, and how many."""
    left = snapshot.counts.get("left_out", {})
    return [(REASONS[name], n) for name, n in left.items() if name in REASONS]


def evaluation_sets(user: User, project: Project) -> list[tuple[str, str]]:
    """Return what a rule may leave out: this project's sources, the user's other projects."""
    sources = (
        Problem.objects.filter(project=project).exclude(source="").order_by("source")
        .values_list("source", flat=True).distinct()[:SOURCES_SHOWN]
    )  # fmt: skip
    members = Membership.objects.select_related("project").filter(user=user)
    others = [
        (f"project:{member.project.uid}", _("project {name}").format(name=member.project.name))
        for member in members.exclude(project=project).order_by("project__name")
        if can(Role(member.role), Action.VIEW)
    ]
    return [(f"source:{name}", _("source {name}").format(name=name)) for name in sources] + others


def _state(report: Mapping[str, Any] | None) -> str:
    if report is None:
        return "absent"
    if not report:
        return "waiting"
    return "failed" if "error" in report else "written"
