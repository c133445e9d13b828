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


@dataclass(frozen=True, slots=True)
class Sample:
    """One rollout as shown: its text, its answer and whether that is right."""

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


@dataclass(frozen=True, slots=True)
class Cell:
    """What one voice says of one step."""

    voice: Voice
    label: int | None
    score: float | None
    first_error: bool


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step with everything said about it."""

    index: int
    text: str
    cells: tuple[Cell, ...]
    bars: tuple[Bar, ...]
    critiques: tuple[Voice, ...]
    notes: tuple[tuple[str, str], ...]
    agreed: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """All visible voices and the steps with their parts of them."""

    voices: tuple[Voice, ...]
    steps: tuple[StepRow, ...]

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
            Sample(row.text, row.answer, row.correct, row.finish_reason)
        )
    return {key: tuple(samples[:ROLLOUTS_SHOWN]) for key, samples in grouped.items()}


def _step_row(
    index: int,
    text: str,
    said_by: Sequence[Voice],
    samples: dict[tuple[int, int], tuple[Sample, ...]],
) -> StepRow:
    cells = tuple(_cell(voice, index) for voice in said_by)
    said = {c.label for c in cells if c.voice.kind is not LabelerKind.PRM and c.label is not None}
    bars = [_bar(voice, index, samples) for voice in said_by]
    return StepRow(
        index=index,
        text=text,
        cells=cells,
        bars=tuple(bar for bar in bars if bar is not None),
        critiques=tuple(v for v in said_by if v.critique and v.critique_step == index),
        notes=tuple((v.name, v.step_notes[index]) for v in said_by if index in v.step_notes),
        agreed=len(said) <= 1,
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
    drawn = samples.get((voice.labeler_id, index), ())
    return Bar(voice.name, k, n, stopped, own_answer, drawn)


def _at(values: Sequence[T | None], index: int) -> T | None:
    return values[index] if index < len(values) else None
