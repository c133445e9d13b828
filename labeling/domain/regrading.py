"""A Monte-Carlo estimate over again, from completions that are there: nothing new is drawn."""

from __future__ import annotations

from collections.abc import Mapping

from labeling.domain import monte_carlo
from labeling.domain.monte_carlo import Estimate, McMode

Outcomes = Mapping[tuple[int, int], bool]
"""Whether sample number `s` after step `t` reaches the reference answer, by (t, s)."""


def replay(
    step_count: int,
    n: int,
    mode: McMode,
    own_answer_correct: bool,
    outcomes: Outcomes,
    *,
    judged: int | None = None,
    audited: bool = False,
) -> Estimate | None:
    """Return the estimate that these outcomes give; None where one is missing.

    Waves are fixed by what came before, so an estimate that can be told from the outcomes is the
    one that drawing anew with the same seeds would give.
    """
    state = monte_carlo.start(
        step_count, n, mode, own_answer_correct, judged=judged, audited=audited
    )
    while (wave := monte_carlo.next_wave(state)) is not None:
        drawn = [outcomes.get((wave.step, sample)) for sample in wave.samples]
        if None in drawn:
            return None
        state = monte_carlo.observe(state, [bool(one) for one in drawn])
    return monte_carlo.estimate(state)
