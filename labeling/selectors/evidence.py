"""What labelers say of one solution, step by step: for the detail page and after submitting.

The caller names the kinds that may be seen (labeling.domain.visibility); others are never read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from labeling.domain.labels import NO_ERROR, LabelerKind, VerdictState, labels_up_to
from labeling.models import Rollout, Solution, Verdict

T = TypeVar("T")

PEOPLE = frozenset({LabelerKind.HUMAN, LabelerKind.ADJUDICATOR, LabelerKind.GOLD})
"""Kinds drawn filled; the others, machines, are drawn outlined."""

ROLLOUTS_SHOWN = 16
"""Rollouts listed per step: twice the usual n."""

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
    """One labeler's verdict on the solution."""

    labeler_id: int
    kind: LabelerKind
    name: str
    state: VerdictState
    first_error: int | None
    labels: tuple[int | None, ...]
    scores: tuple[float | None, ...]
    mc_k: tuple[int | None, ...]
    mc_n: tuple[int | None, ...]
    critique: str
    reason: str
    note: str
    step_notes: dict[int, str]
    seconds: float
    completions: int
    exhaustive_completions: int
    at: datetime

    @property
    def person(self) -> bool:
        """Whether a human being stands behind it."""
        return self.kind in PEOPLE

    @property
    def critique_step(self) -> int | None:
        """The step beside which the critique is shown; None: above all steps."""
        return None if self.first_error in (None, NO_ERROR) else self.first_error


@dataclass(frozen=True, slots=True)
class Sample:
    """One rollout as shown: its text, its answer and whether that is right."""

    text: str
    answer: str | None
    correct: bool
    finish_reason: str


@dataclass(frozen=True, slots=True)
class Bar:
    """k of n completions from a step reached the answer, with the rollouts that were kept."""

    name: str
    k: int
    n: int
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


def evidence(solution: Solution, kinds: Collection[LabelerKind]) -> Evidence:
    """Read the active labelers' verdicts of these kinds, and the rollouts behind them."""
    voices = _voices(solution, kinds)
    samples = _samples(solution, [v.labeler_id for v in voices if v.kind is LabelerKind.MC])
    steps = tuple(
        _step_row(index, text, voices, samples) for index, text in enumerate(solution.steps)
    )
    return Evidence(voices, steps)


def _voices(solution: Solution, kinds: Collection[LabelerKind]) -> tuple[Voice, ...]:
    if not kinds:
        return ()
    rows = Verdict.objects.filter(
        solution=solution, labeler__active=True, labeler__kind__in=list(kinds)
    ).select_related("labeler")
    voices = [_voice(row, len(solution.steps)) for row in rows]
    return tuple(sorted(voices, key=lambda v: (_ORDER.index(v.kind), v.labeler_id)))


def _voice(row: Verdict, steps: int) -> Voice:
    comments = row.comments or {}
    notes = {int(k): v for k, v in comments.get("steps", {}).items() if str(k).isdecimal()}
    return Voice(
        labeler_id=row.labeler_id,
        kind=LabelerKind(row.labeler.kind),
        name=row.labeler.name,
        state=VerdictState(row.state),
        first_error=row.first_error,
        labels=_labels(row, steps),
        scores=tuple(row.step_scores),
        mc_k=tuple(row.mc_k),
        mc_n=tuple(row.mc_n),
        critique=row.critique,
        reason=row.reason,
        note=comments.get("solution", ""),
        step_notes=notes,
        seconds=row.seconds,
        completions=row.completions,
        exhaustive_completions=row.exhaustive_completions,
        at=row.updated_at,
    )


def _labels(row: Verdict, steps: int) -> tuple[int | None, ...]:
    if row.step_labels:
        return tuple(row.step_labels)
    if row.first_error is None:
        return (None,) * steps
    return labels_up_to(row.first_error, steps)


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
    voices: Sequence[Voice],
    samples: dict[tuple[int, int], tuple[Sample, ...]],
) -> StepRow:
    cells = tuple(_cell(voice, index) for voice in voices)
    said = {c.label for c in cells if c.voice.kind is not LabelerKind.PRM and c.label is not None}
    bars = [_bar(voice, index, samples) for voice in voices]
    return StepRow(
        index=index,
        text=text,
        cells=cells,
        bars=tuple(bar for bar in bars if bar is not None),
        critiques=tuple(v for v in voices if v.critique and v.critique_step == index),
        notes=tuple((v.name, v.step_notes[index]) for v in voices if index in v.step_notes),
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
    return Bar(voice.name, k, n, samples.get((voice.labeler_id, index), ()))


def _at(values: Sequence[T | None], index: int) -> T | None:
    return values[index] if index < len(values) else None
