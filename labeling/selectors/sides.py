"""Who a cell of a dashboard speaks of: one labeler by its uid, or all people of a kind."""

from __future__ import annotations

from labeling.domain.labels import LabelerKind
from labeling.models import Labeler, Project

GROUPS = {"annotators": LabelerKind.HUMAN, "adjudicators": LabelerKind.ADJUDICATOR}
"""Names of all people of a kind, where otherwise a labeler's opaque id stands."""


def labelers_of(project: Project, side: str, *, gold: bool) -> list[int]:
    """Return the ids of a side's active labelers; those of the gold key only where allowed."""
    rows = Labeler.objects.filter(project=project, active=True)
    if not gold:
        rows = rows.exclude(kind=LabelerKind.GOLD)
    kind = GROUPS.get(side)
    rows = rows.filter(kind=kind) if kind else rows.filter(uid=side)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def name_of(project: Project, side: str, *, gold: bool) -> tuple[LabelerKind, str] | None:
    """Return (kind, name) of a side, without a name for a group; None for an unknown one."""
    if side in GROUPS:
        return GROUPS[side], ""
    rows = Labeler.objects.filter(project=project, uid=side)
    if not gold:
        rows = rows.exclude(kind=LabelerKind.GOLD)
    found = rows.values_list("kind", "name").first()
    return (LabelerKind(found[0]), found[1]) if found else None
