"""The order of the human queue: what a person's time is worth most on."""

from __future__ import annotations

from labeling.domain.labels import NO_ERROR


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
