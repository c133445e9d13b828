"""How many completions Monte-Carlo estimation may be expected to draw, in closed form.

The model of completers is the one whose simulation docs/runs.md describes; for n = 8 and 4 to 15
steps it gives what that simulation measured: in mode hard 5.4 times fewer completions than all n
after every step (4.2 to 5.7 over completers), in mode consensus 7.1 (5.2 to 7.6), in mode soft 1.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from labeling.domain.labels import NO_ERROR
from labeling.domain.monte_carlo import McMode, waves

LONGEST = 32
"""Longer solutions are taken to cost per step what this many steps cost."""

JUDGE_RIGHT_OF_CORRECT = 0.88
JUDGE_OF_WRONG = ((0, 0.6), (-1, 0.125), (1, 0.125))
"""How far from the first error the judge of the simulation places it; else it finds none."""

LUCKY = 0.1
"""Share of wrong solutions whose final answer is right all the same."""


@dataclass(frozen=True, slots=True)
class Completer:
    """How often completions succeed: from a right prefix with probability Beta(a, b), from a wrong
    one never (`hopeless`) or with probability Beta(1, 6). `errors`: share of wrong solutions."""

    a: float = 4.0
    b: float = 1.0
    hopeless: float = 0.7
    errors: float = 0.5

    def misses(self, count: int, right: bool) -> float:
        """Return the probability that `count` completions from one prefix all fail."""
        if not right:
            return self.hopeless + (1 - self.hopeless) * 6 / (6 + count)
        found = 1.0
        for i in range(count):
            found *= (self.b + i) / (self.a + self.b + i)
        return found


TYPICAL = Completer()
COMPLETERS = (
    TYPICAL,
    Completer(a=2.0, b=1.5),
    Completer(a=1.0, b=2.0),
    Completer(errors=0.2),
    Completer(errors=0.8),
    Completer(hopeless=0.3),
)
"""The simulated completers: typical, weaker, weak, few errors, many errors, leaking."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Mean completions after each step but the last, and the share of refuted judgments."""

    per_step: tuple[float, ...]
    refuted: float = 0.0

    @property
    def total(self) -> float:
        """Mean completions of one solution."""
        return sum(self.per_step)


@lru_cache(maxsize=4096)
def expected(mode: McMode, step_count: int, n: int, completer: Completer = TYPICAL) -> Expected:
    """Return what one solution of so many steps is expected to take, before any audit."""
    if mode is McMode.EXHAUSTIVE:
        return Expected((float(n),) * (step_count - 1))
    if step_count > LONGEST:
        short = expected(mode, LONGEST, n, completer)
        mean = short.total / (LONGEST - 1)
        return Expected((mean,) * (step_count - 1), short.refuted)
    drawn = [0.0] * (step_count - 1)
    refuted = 0.0
    for first_error, chance in _truths(step_count, completer):
        walk = _Walk(step_count, n, mode, completer, first_error)
        for step, amount in _WALKS[mode](walk):
            drawn[step] += chance * amount
        refuted += chance * walk.refuted
    return Expected(tuple(drawn), refuted)


def _truths(step_count: int, completer: Completer) -> Iterator[tuple[int, float]]:
    """Yield the first errors that a solution may have, with their probabilities."""
    yield NO_ERROR, 1 - completer.errors
    for step in range(step_count):
        yield step, completer.errors / step_count


class _Walk:
    """One solution whose true first error is given: what each step costs and how it may end."""

    def __init__(
        self, step_count: int, n: int, mode: McMode, completer: Completer, first_error: int
    ) -> None:
        self.step_count, self.n, self.first_error = step_count, n, first_error
        self.refuted = 0.0
        self._costs = {right: _cost(mode, n, completer, right) for right in (True, False)}
        self._misses = {right: completer.misses(n, right) for right in (True, False)}

    def cost(self, step: int) -> float:
        return self._costs[self._right(step)]

    def passes(self, step: int) -> float:
        """Return the probability that the step is labeled right."""
        if step < self.step_count - 1:
            return 1 - self._misses[self._right(step)]
        return 1.0 if self.first_error == NO_ERROR else LUCKY

    def _right(self, step: int) -> bool:
        return self.first_error == NO_ERROR or step < self.first_error


def _cost(mode: McMode, n: int, completer: Completer, right: bool) -> float:
    if not mode.stops_at_success:
        return n
    drawn, found = 0, 0.0
    for size in waves(n):
        found += size * completer.misses(drawn, right)
        drawn += size
    return found


def _in_order(walk: _Walk) -> Iterator[tuple[int, float]]:
    reached = 1.0
    for step in range(walk.step_count - 1):
        yield step, reached * walk.cost(step)
        reached *= walk.passes(step)


def _halving(walk: _Walk) -> Iterator[tuple[int, float]]:
    wrong_answer = 1 - walk.passes(walk.step_count - 1)
    open_spans = [(0, walk.step_count - 1, wrong_answer)]
    while open_spans:
        low, high, reached = open_spans.pop()
        if low < high and reached:
            middle = (low + high) // 2
            yield middle, reached * walk.cost(middle)
            passed = walk.passes(middle)
            open_spans += [(middle + 1, high, reached * passed)]
            open_spans += [(low, middle, reached * (1 - passed))]


def _judge_first(walk: _Walk) -> Iterator[tuple[int, float]]:
    last = walk.step_count - 1
    for judged, chance in _judgments(walk):
        reached = chance
        for step in range(last if judged == NO_ERROR else judged, -1, -1):
            if step < last:
                yield step, reached * walk.cost(step)
            agrees = walk.passes(step) if step != judged else 1 - walk.passes(step)
            walk.refuted += reached * (1 - agrees)
            reached *= agrees


def _judgments(walk: _Walk) -> Iterator[tuple[int, float]]:
    """Yield the first errors that the judge may name, with their probabilities."""
    steps = walk.step_count
    if walk.first_error == NO_ERROR:
        yield NO_ERROR, JUDGE_RIGHT_OF_CORRECT
        for step in range(steps):
            yield step, (1 - JUDGE_RIGHT_OF_CORRECT) / steps
        return
    for distance, chance in JUDGE_OF_WRONG:
        yield min(max(walk.first_error + distance, 0), steps - 1), chance
    yield NO_ERROR, 1 - sum(chance for _, chance in JUDGE_OF_WRONG)


_WALKS: dict[McMode, Callable[[_Walk], Iterator[tuple[int, float]]]] = {
    McMode.SOFT: _in_order,
    McMode.HARD: _in_order,
    McMode.CONSENSUS: _judge_first,
    McMode.BISECT: _halving,
}
