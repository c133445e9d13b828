"""The order of the human queue: what a person's time is worth most on."""

from __future__ import annotations

from collections.abc import Sequence

from labeling.domain.consensus import DecisionState
from labeling.domain.labels import NO_ERROR, LabelerKind, VerdictView


def priority(answer_correct: bool | None, mc: int | None, judge: int | None) -> int:
    """Return a disputed solution's place in the queue; higher is served first.

    `mc` and `judge` are first errors. A right answer that MC passes and the judge faults is the
    flawed process that MC cannot see (RECIPE: 5-43 % of right answers), so it comes first; then
    errors placed differently; then errors that MC alone claims.
    """
    if mc is None or judge is None:
        return 10
    if answer_correct and mc == NO_ERROR and judge != NO_ERROR:
        return 40
    if mc != NO_ERROR and judge != NO_ERROR and mc != judge:
        return 30
    return 20


def place(state: DecisionState, views: Sequence[VerdictView], answer_correct: bool | None) -> int:
    """Return a solution's place in the queue: a disputed one's priority, 0 for any other."""
    if state is not DecisionState.DISPUTED:
        return 0
    mc, judge = _latest(views, LabelerKind.MC), _latest(views, LabelerKind.JUDGE)
    return priority(answer_correct, mc, judge)


def _latest(views: Sequence[VerdictView], kind: LabelerKind) -> int | None:
    scored = [view for view in views if view.kind is kind and view.first_error is not None]
    return max(scored, key=lambda view: view.id).first_error if scored else None
