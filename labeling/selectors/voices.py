"""Labelers' verdicts on one solution, as pages show them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from labeling.domain.labels import NO_ERROR, LabelerKind, VerdictState, labels_up_to
from labeling.domain.monte_carlo import McMode
from labeling.models import Solution, User, Verdict
from labeling.models.compiled import Compiled, among, given

_ORDER = [
    LabelerKind.MC,
    LabelerKind.JUDGE,
    LabelerKind.PRM,
    LabelerKind.HUMAN,
    LabelerKind.ADJUDICATOR,
    LabelerKind.GOLD,
]


@dataclass(frozen=True, slots=True)
class Voice:
    """One labeler's verdict on the solution. `uid`: the labeler's; `own`: the viewer said it."""

    labeler_id: int
    uid: str
    kind: LabelerKind
    name: str
    state: VerdictState
    first_error: int | None
    labels: tuple[int | None, ...]
    scores: tuple[float | None, ...]
    mc_k: tuple[int | None, ...]
    mc_n: tuple[int | None, ...]
    stops_at_success: bool
    critique: str
    reason: str
    reason_code: str
    note: str
    step_notes: dict[int, str]
    seconds: float
    completions: int
    exhaustive_completions: int
    at: datetime
    own: bool = False

    @property
    def critique_step(self) -> int | None:
        """The step beside which the critique is shown; None: above all steps."""
        return None if self.first_error in (None, NO_ERROR) else self.first_error


def voices(
    solution: Solution, kinds: Collection[LabelerKind], viewer: User | None = None
) -> tuple[Voice, ...]:
    """Return what the active labelers of these kinds say, machines first.

    `viewer`: what they themselves said as an annotator comes along whatever the kinds.
    """
    if viewer is None and not kinds:
        return ()
    seen = [str(kind) for kind in kinds]
    rows = _said(solution=solution.pk, kinds=seen, viewer=viewer and viewer.pk)
    found = [_voice(row, len(solution.steps), viewer) for row in rows]
    return tuple(sorted(found, key=lambda v: (_ORDER.index(v.kind), v.own, v.labeler_id)))


@Compiled
def _said() -> QuerySet[Verdict]:
    wanted = Q(among("labeler__kind", "kinds"), labeler__active=True)
    own = Q(labeler__user=given("viewer"), labeler__kind=LabelerKind.HUMAN)
    return Verdict.objects.filter(wanted | own, solution=given("solution")).select_related(
        "labeler"
    )


def _voice(row: Verdict, steps: int, viewer: User | None) -> Voice:
    comments = row.comments or {}
    notes = {int(k): v for k, v in comments.get("steps", {}).items() if str(k).isdecimal()}
    return Voice(
        labeler_id=row.labeler_id,
        uid=row.labeler.uid,
        kind=LabelerKind(row.labeler.kind),
        name=row.labeler.name,
        state=VerdictState(row.state),
        first_error=row.first_error,
        labels=_labels(row, steps),
        scores=tuple(row.step_scores),
        mc_k=tuple(row.mc_k),
        mc_n=tuple(row.mc_n),
        stops_at_success=_stops_at_success(row.labeler.config),
        critique=row.critique,
        reason=row.reason,
        reason_code=row.reason_code,
        note=comments.get("solution", ""),
        step_notes=notes,
        seconds=row.seconds,
        completions=row.completions,
        exhaustive_completions=row.exhaustive_completions,
        at=row.updated_at,
        own=viewer is not None and _is_own(row, viewer),
    )


def _is_own(row: Verdict, viewer: User) -> bool:
    return row.labeler.user_id == viewer.pk and row.labeler.kind == LabelerKind.HUMAN


def _stops_at_success(config: Mapping[str, Any]) -> bool:
    return "mode" in config and McMode(config["mode"]).stops_at_success


def _labels(row: Verdict, steps: int) -> tuple[int | None, ...]:
    if row.step_labels:
        return tuple(row.step_labels)
    if row.first_error is None:
        return (None,) * steps
    return labels_up_to(row.first_error, steps)
