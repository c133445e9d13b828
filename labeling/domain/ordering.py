"""The human queue: what a person's time is worth most on, and how many people are wanted."""

from __future__ import annotations

import math
from collections.abc import Sequence

from labeling.domain.consensus import DecisionState
from labeling.domain.labels import NO_ERROR, LabelerKind, VerdictState, VerdictView

SPOKEN = (VerdictState.SCORED, VerdictState.REJECTED)
_STEP = 10
"""Between the values of `priority`: what the champion's doubt cannot bridge."""


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


def place(
    state: DecisionState,
    views: Sequence[VerdictView],
    answer_correct: bool | None,
    scores: Sequence[float | None] = (),
) -> int:
    """Return a solution's place in the queue: a disputed one's priority, 0 for any other.

    `scores`: the champion PRM's, where it has scored the solution. Among disputes of equal value
    those come first on which it is in doubt.
    """
    if state is not DecisionState.DISPUTED:
        return 0
    mc, judge = _latest(views, LabelerKind.MC), _latest(views, LabelerKind.JUDGE)
    return priority(answer_correct, mc, judge) + round((_STEP - 1) * doubt(scores))


def doubt(scores: Sequence[float | None]) -> float:
    """Return how unsure a PRM is where the first error is, 0..1; 0 without a score for each step.

    The entropy of the first error that the scores, probabilities of a right step, imply (each
    step, or none), as a share of the greatest possible.
    """
    known = [min(1.0, max(0.0, score)) for score in scores if score is not None]
    if not known or len(known) < len(scores):
        return 0.0
    chances, reached = [], 1.0
    for score in known:
        chances.append(reached * (1 - score))
        reached *= score
    entropy = -sum(p * math.log(p) for p in [*chances, reached] if p > 0)
    return min(1.0, entropy / math.log(len(known) + 1))


def places(views: Sequence[VerdictView], overlap: int) -> int:
    """Return how many more people's labels are wanted: none once an adjudicator has spoken."""
    if any(v.kind is LabelerKind.ADJUDICATOR and v.state in SPOKEN for v in views):
        return 0
    people = sum(v.by_user and v.kind is LabelerKind.HUMAN and v.state in SPOKEN for v in views)
    return max(0, overlap - people)


def give_up_limit(overlap: int) -> int:
    """Return how many people may give up on a solution before it is no longer handed out."""
    return overlap + 2


def _latest(views: Sequence[VerdictView], kind: LabelerKind) -> int | None:
    scored = [view for view in views if view.kind is kind and view.first_error is not None]
    return max(scored, key=lambda view: view.id).first_error if scored else None
