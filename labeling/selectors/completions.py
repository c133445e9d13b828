"""Monte-Carlo counts of a step and the completions behind them, as pages show them.

A solution of 100 steps has a thousand completions: pages come with those of the steps in question,
and ask for another step's when somebody opens it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import QuerySet
from django.http import Http404

from labeling.domain.labels import LabelerKind
from labeling.models import Rollout, Solution
from labeling.models.compiled import Compiled, among, given
from labeling.selectors.voices import Voice, voices

T = TypeVar("T")

SHOWN = 16
"""Completions listed per step: twice the usual n."""

EACH = 2
"""Completions of each outcome that are open at a step in question."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One completion as shown: its number, its text, its answer and whether that is right."""

    number: int
    text: str
    answer: str | None
    correct: bool
    finish_reason: str


@dataclass(frozen=True, slots=True)
class Bar:
    """k of n completions from a step reached the answer; `samples`: those that were asked for.

    `stopped`: no more were drawn because one had succeeded, so k / n is no rate. `own_answer`: the
    last step, where nothing is drawn and the solution's own final answer counts.
    """

    name: str
    labeler: str
    k: int
    n: int
    stopped: bool
    own_answer: bool
    samples: tuple[Sample, ...]

    @property
    def percent(self) -> int:
        """Share of successes, 0 to 100."""
        return round(100 * self.k / self.n)

    @property
    def telling(self) -> tuple[Sample, ...]:
        """Two completions that fail and two that succeed: what one looks at first."""
        return tuple(s for c in (False, True) for s in self._of(c)[:EACH])

    @property
    def rest(self) -> tuple[Sample, ...]:
        """The other completions."""
        return tuple(s for c in (False, True) for s in self._of(c)[EACH:])

    def _of(self, correct: bool) -> list[Sample]:
        return [sample for sample in self.samples if sample.correct is correct]


Kept = Mapping[tuple[int, int], tuple[Sample, ...]]
"""Completions by labeler (id) and step."""


def completions(solution: Solution, kinds: Collection[LabelerKind], labeler: str, step: int) -> Bar:
    """Return what this labeler (its uid) drew from this step.

    Raise Http404 where it drew nothing there, or is of no kind that may be seen.
    """
    said = [v for v in voices(solution, kinds) if v.kind is LabelerKind.MC and v.uid == labeler]
    bar = bar_of(said[0], step, kept(solution, [said[0].labeler_id], [step])) if said else None
    if bar is None:
        raise Http404("no such completions")
    return bar


def kept(solution: Solution, labelers: Collection[int], steps: Collection[int]) -> Kept:
    """Return the completions that these labelers (ids) drew from these steps, failures first."""
    if not (labelers and steps):
        return {}
    grouped: defaultdict[tuple[int, int], list[Sample]] = defaultdict(list)
    for row in _drawn(solution=solution.pk, labelers=list(labelers), steps=list(steps)):
        grouped[row.labeler_id, row.step].append(
            Sample(row.sample, row.text, row.answer, row.correct, row.finish_reason)
        )
    return {key: tuple(samples) for key, samples in grouped.items()}


@Compiled
def _drawn() -> QuerySet[Rollout]:
    rows = Rollout.objects.filter(
        among("labeler_id", "labelers"), among("step", "steps"), solution=given("solution")
    )
    # failures first: they are what one looks for
    return rows.order_by("labeler_id", "step", "correct", "sample")


def bar_of(voice: Voice, step: int, samples: Kept) -> Bar | None:
    """Return the voice's count at the step with its completions among `samples`; None: no count."""
    k, n = at(voice.mc_k, step), at(voice.mc_n, step)
    if k is None or not n:
        return None
    own_answer = step == len(voice.mc_n) - 1
    stopped = voice.stops_at_success and k > 0 and not own_answer
    # completions that other labelers' or earlier estimates drew may be kept as well: k of n counts
    # the first n
    found = samples.get((voice.labeler_id, step), ())
    drawn = tuple(sample for sample in found if sample.number < n)[:SHOWN]
    return Bar(voice.name, voice.uid, k, n, stopped, own_answer, drawn)


def at(values: Sequence[T | None], index: int) -> T | None:
    """Return the value at the index, None beyond the end."""
    return values[index] if index < len(values) else None
