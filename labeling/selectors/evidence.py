"""What labelers say of one solution, step by step: for the detail page and after submitting.

The caller names the kinds that may be seen (labeling.domain.visibility); others are never read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar

from labeling.domain.labels import LabelerKind
from labeling.models import Rollout, Solution
from labeling.selectors.voices import Voice, voices

T = TypeVar("T")

ROLLOUTS_SHOWN = 16
"""Rollouts listed per step: twice the usual n."""

EACH = 2
"""Rollouts of each outcome that are open at a step in question."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One rollout as shown: its number, its text, its answer and whether that is right."""

    number: int
    text: str
    answer: str | None
    correct: bool
    finish_reason: str


@dataclass(frozen=True, slots=True)
class Bar:
    """k of n completions from a step reached the answer, with the rollouts that were kept.

    `stopped`: no more were drawn because one had succeeded, so k / n is no rate. `own_answer`: the
    last step, where nothing is drawn and the solution's own final answer counts.
    """

    name: str
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
        """Two rollouts that fail and two that succeed: what one looks at first."""
        return tuple(s for c in (False, True) for s in self._of(c)[:EACH])

    @property
    def rest(self) -> tuple[Sample, ...]:
        """The other rollouts."""
        return tuple(s for c in (False, True) for s in self._of(c)[EACH:])

    def _of(self, correct: bool) -> list[Sample]:
        return [sample for sample in self.samples if sample.correct is correct]


@dataclass(frozen=True, slots=True)
class Cell:
    """What one voice says of one step."""

    voice: Voice
    label: int | None
    score: float | None
    first_error: bool


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step with everything said about it.

    `agreed`: nobody contradicts another, neither on its label nor on its being the first error.
    `questioned`: somebody calls it the first error, and another one does not.
    """

    index: int
    text: str
    cells: tuple[Cell, ...]
    bars: tuple[Bar, ...]
    critiques: tuple[Voice, ...]
    notes: tuple[tuple[str, str], ...]
    agreed: bool
    questioned: bool

    @property
    def common(self) -> int | None:
        """Return the label that all who judged the step gave; None: nobody did, or they differ."""
        said = {cell.label for cell in self.cells if cell.label is not None}
        return said.pop() if len(said) == 1 else None


@dataclass(frozen=True, slots=True)
class Evidence:
    """All visible voices and the steps with their parts of them."""

    voices: tuple[Voice, ...]
    steps: tuple[StepRow, ...]

    @property
    def in_question(self) -> tuple[StepRow, ...]:
        """The steps that somebody calls the first error and another one does not."""
        return tuple(step for step in self.steps if step.questioned)

    @property
    def general(self) -> tuple[Voice, ...]:
        """Voices whose critique belongs to no single step."""
        return tuple(v for v in self.voices if v.critique and v.critique_step is None)


def evidence(
    solution: Solution, kinds: Collection[LabelerKind], own: Voice | None = None
) -> Evidence:
    """Read the active labelers' verdicts of these kinds, and the rollouts behind them.

    `own`: the viewer's own verdict, which they see whatever the kinds.
    """
    found = voices(solution, kinds)
    if own is not None and own.labeler_id not in {voice.labeler_id for voice in found}:
        found = (*found, own)
    samples = _samples(solution, [v.labeler_id for v in found if v.kind is LabelerKind.MC])
    steps = tuple(
        _step_row(index, text, found, samples) for index, text in enumerate(solution.steps)
    )
    return Evidence(found, steps)


def _samples(
    solution: Solution, labelers: Sequence[int]
) -> dict[tuple[int, int], tuple[Sample, ...]]:
    if not labelers:
        return {}
    grouped: defaultdict[tuple[int, int], list[Sample]] = defaultdict(list)
    rows = Rollout.objects.filter(solution=solution, labeler__in=labelers)
    # failures first: they are what one looks for
    for row in rows.order_by("labeler_id", "step", "correct", "sample"):
        grouped[row.labeler_id, row.step].append(
            Sample(row.sample, row.text, row.answer, row.correct, row.finish_reason)
        )
    return {key: tuple(samples) for key, samples in grouped.items()}


def _step_row(
    index: int,
    text: str,
    said_by: Sequence[Voice],
    samples: dict[tuple[int, int], tuple[Sample, ...]],
) -> StepRow:
    cells = tuple(_cell(voice, index) for voice in said_by)
    said = {c.label for c in cells if c.voice.kind is not LabelerKind.PRM and c.label is not None}
    bars = [_bar(voice, index, samples) for voice in said_by]
    # scores of a reward model are no verdict: it contradicts nobody
    firsts = {v.first_error for v in said_by if v.first_error is not None and v.kind != "prm"}
    questioned = index in firsts and len(firsts) > 1
    return StepRow(
        index=index,
        text=text,
        cells=cells,
        bars=tuple(bar for bar in bars if bar is not None),
        critiques=tuple(v for v in said_by if v.critique and v.critique_step == index),
        notes=tuple((v.name, v.step_notes[index]) for v in said_by if index in v.step_notes),
        agreed=len(said) <= 1 and not questioned,
        questioned=questioned,
    )


def _cell(voice: Voice, index: int) -> Cell:
    return Cell(
        voice=voice,
        label=_at(voice.labels, index),
        score=_at(voice.scores, index),
        first_error=voice.first_error == index,
    )


def _bar(
    voice: Voice, index: int, samples: dict[tuple[int, int], tuple[Sample, ...]]
) -> Bar | None:
    k, n = _at(voice.mc_k, index), _at(voice.mc_n, index)
    if k is None or not n:
        return None
    own_answer = index == len(voice.mc_n) - 1
    stopped = voice.stops_at_success and k > 0 and not own_answer
    # completions that other labelers' or earlier estimates drew may be kept as well: k of n counts
    # the first n
    kept = samples.get((voice.labeler_id, index), ())
    drawn = tuple(sample for sample in kept if sample.number < n)[:ROLLOUTS_SHOWN]
    return Bar(voice.name, k, n, stopped, own_answer, drawn)


def _at(values: Sequence[T | None], index: int) -> T | None:
    return values[index] if index < len(values) else None
