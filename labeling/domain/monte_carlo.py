"""Monte-Carlo estimation of step labels: which completions to draw next, and what they say.

A step is right when any of n completions that start after it reaches the reference answer; steps
after the first wrong one are not labeled (arXiv 2501.07301 §2.1, §3.1.2). Nothing is drawn here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from labeling.domain.labels import NO_ERROR, StepLabels, labels_up_to


class McMode(StrEnum):
    """How much to draw, and in which order.

    EXHAUSTIVE draws all n at every step, as the published method does. SOFT draws all n up to the
    first wrong step (shares of success without bias), HARD stops each step at its first success as
    well: both find the same first error, sample for sample. CONSENSUS draws only until it is known
    whether the judge's first error is also this method's: the same consensus, nothing more.

    BISECT looks for the first wrong step by halving and takes the steps of a right answer as right.
    It is not exact: a completion may recover after an error (11 % other first errors in a
    simulation of a typical completer, 1 % to 64 % over completers).
    """

    HARD = "hard"
    SOFT = "soft"
    EXHAUSTIVE = "exhaustive"
    CONSENSUS = "consensus"
    BISECT = "bisect"

    @property
    def exact(self) -> bool:
        """Whether the first error is the one that EXHAUSTIVE finds."""
        return self is not McMode.BISECT

    @property
    def stops_at_success(self) -> bool:
        """Whether k of n is cut at the first success, and so no unbiased share."""
        return self not in (McMode.SOFT, McMode.EXHAUSTIVE)


@dataclass(frozen=True, slots=True)
class Wave:
    """Completions to draw at once: these sample numbers, from the prefix that ends with `step`."""

    step: int
    samples: range


@dataclass(frozen=True, slots=True)
class State:
    """What is known of one solution; `outcomes[t]` are the results after step t, in sample order.

    The last step has no outcomes: it is labeled by the solution's own final answer. `judged` is the
    judge's first error (mode CONSENSUS; None: the judge said nothing, so HARD is done instead). An
    `audited` solution is sampled in full once the judge is refuted.
    """

    step_count: int
    n: int
    mode: McMode
    own_answer_correct: bool
    outcomes: tuple[tuple[bool, ...], ...]
    judged: int | None = None
    audited: bool = False


@dataclass(frozen=True, slots=True)
class Estimate:
    """The labels of one solution and what they took.

    `first_error` is None where only a refutation is known: at step `refuted_at` the completions
    contradict the judge's first error. `k[t]` of `n[t]` completions from step t succeeded; both are
    None where nothing was drawn and after the first error, and 1 of 1 or 0 of 1 at the last step,
    which costs no completion. Where sampling stopped at a success k/n is no unbiased estimate.
    `exhaustive_completions` is what drawing all n at every step would have taken.
    """

    first_error: int | None
    k: tuple[int | None, ...]
    n: tuple[int | None, ...]
    step_labels: StepLabels
    completions: int
    exhaustive_completions: int
    refuted_at: int | None = None


def waves(n: int) -> tuple[int, ...]:
    """Return the sizes of the waves that add up to n: 1, 1, 2, 4, 8, …; the last may be cut.

    Drawing 8 as 1, 1, 2, 4 takes 5.4 times fewer completions than all at once (simulated for a
    typical completer), nearly as few as one by one, in four rounds instead of eight.
    """
    if n < 1:
        raise ValueError(f"{n} completions are too few")
    sizes: list[int] = []
    while (drawn := sum(sizes)) < n:
        sizes.append(min(drawn or 1, n - drawn))
    return tuple(sizes)


def start(
    step_count: int,
    n: int,
    mode: McMode,
    own_answer_correct: bool,
    *,
    judged: int | None = None,
    audited: bool = False,
) -> State:
    """Return the state of a solution of which nothing is drawn yet."""
    if step_count < 1 or n < 1:
        raise ValueError(f"{step_count} steps with {n} completions each cannot be estimated")
    if judged is not None and not NO_ERROR <= judged < step_count:
        raise ValueError(f"the judge's first error {judged} is no step of {step_count}")
    if mode is McMode.CONSENSUS and judged is None:
        mode = McMode.HARD
    empty: tuple[tuple[bool, ...], ...] = ((),) * (step_count - 1)
    return State(step_count, n, mode, own_answer_correct, empty, judged, audited)


def next_wave(state: State) -> Wave | None:
    """Return what to draw next; None when the estimate is complete."""
    if state.mode is McMode.CONSENSUS and state.audited and refuted_at(state) is not None:
        state = replace(state, mode=McMode.EXHAUSTIVE)
    step = _PLANS[state.mode](state)
    if step is None:
        return None
    drawn = len(state.outcomes[step])
    size = max(drawn, 1) if state.mode.stops_at_success else state.n
    return Wave(step, range(drawn, min(drawn + size, state.n)))


def observe(state: State, outcomes: Sequence[bool]) -> State:
    """Return the state after the results of its `next_wave`, in the order of the samples."""
    wave = next_wave(state)
    if wave is None or len(outcomes) != len(wave.samples):
        expected = len(wave.samples) if wave else 0
        raise ValueError(f"{len(outcomes)} outcomes where {expected} were asked for")
    known = list(state.outcomes)
    known[wave.step] += tuple(outcomes)
    return replace(state, outcomes=tuple(known))


def estimate(state: State) -> Estimate:
    """Return the labels of a complete state; raise ValueError while something is to be drawn."""
    if next_wave(state) is not None:
        raise ValueError("the estimate is not complete")
    refuted = None if state.audited else refuted_at(state)
    table = [*state.outcomes, (state.own_answer_correct,)]
    first_error = _first_error(state) if refuted is None else None
    labels: StepLabels = (None,) * state.step_count
    if first_error is not None:
        labels = labels_up_to(first_error, state.step_count)
    # Of a refuted judgment all that was drawn is evidence, also beyond a wrong step.
    shown = [
        bool(drawn) and (label is not None or first_error is None)
        for drawn, label in zip(table, labels, strict=True)
    ]
    return Estimate(
        first_error=first_error,
        k=tuple(sum(d) if s else None for d, s in zip(table, shown, strict=True)),
        n=tuple(len(d) if s else None for d, s in zip(table, shown, strict=True)),
        step_labels=labels,
        completions=sum(map(len, state.outcomes)),
        exhaustive_completions=exhaustive_completions(state.step_count, state.n),
        refuted_at=refuted,
    )


def refuted_at(state: State) -> int | None:
    """Return the step whose completions contradict the judge's first error; None where none does.

    Mode CONSENSUS only. The judge's step is looked at first, then backwards: a wrong solution is
    refuted by its later steps, and an error before the judge's is rarely far from it. The last step
    costs no completion, so some judgments are refuted for free.
    """
    if state.mode is not McMode.CONSENSUS:
        return None
    for step, expected in _expectations(state):
        known = _is_right(state, step)
        if known is None:
            return None
        if known is not expected:
            return step
    return None


def exhaustive_completions(step_count: int, n: int) -> int:
    """Return the completions of the published method: n after every step but the last."""
    return n * (step_count - 1)


def _in_order(state: State) -> int | None:
    """HARD, SOFT: the first step that is not known, unless an earlier one is wrong."""
    for step in range(state.step_count - 1):
        known = _is_right(state, step)
        if known is None:
            return step
        if not known:
            return None
    return None


def _all_of_them(state: State) -> int | None:
    """EXHAUSTIVE: the first step that lacks completions."""
    lacking = (t for t, drawn in enumerate(state.outcomes) if len(drawn) < state.n)
    return next(lacking, None)


def _judge_first(state: State) -> int | None:
    """CONSENSUS: the next step that may still refute the judge."""
    for step, expected in _expectations(state):
        known = _is_right(state, step)
        if known is None:
            return step
        if known is not expected:
            return None
    return None


def _halving(state: State) -> int | None:
    """BISECT: the middle of the steps among which the first wrong one must be."""
    if state.own_answer_correct:
        return None
    low, high = _bracket(state)
    return (low + high) // 2 if low < high else None


_PLANS = {
    McMode.HARD: _in_order,
    McMode.SOFT: _in_order,
    McMode.EXHAUSTIVE: _all_of_them,
    McMode.CONSENSUS: _judge_first,
    McMode.BISECT: _halving,
}


def _expectations(state: State) -> Iterable[tuple[int, bool]]:
    """Yield the steps whose labels make up the judge's first error, in the order of looking."""
    judged = NO_ERROR if state.judged is None else state.judged
    last = state.step_count - 1 if judged == NO_ERROR else judged
    for step in range(last, -1, -1):
        yield step, step != judged


def _bracket(state: State) -> tuple[int, int]:
    """Return the first and last step that may be the first wrong one, if labels never recover."""
    low, high = 0, state.step_count - 1
    while low < high:
        known = _is_right(state, (low + high) // 2)
        if known is None:
            break
        low, high = ((low + high) // 2 + 1, high) if known else (low, (low + high) // 2)
    return low, high


def _first_error(state: State) -> int:
    if state.mode is McMode.BISECT:
        return NO_ERROR if state.own_answer_correct else _bracket(state)[0]
    table = (*state.outcomes, (state.own_answer_correct,))
    return next((t for t, drawn in enumerate(table) if not any(drawn)), NO_ERROR)


def _is_right(state: State, step: int) -> bool | None:
    """Return whether the completions after a step say that it is right; None = not known yet."""
    if step == state.step_count - 1:
        return state.own_answer_correct
    drawn = state.outcomes[step]
    if len(drawn) == state.n or (state.mode.stops_at_success and any(drawn)):
        return any(drawn)
    return None
