"""What labelers say of one solution, step by step: for the detail page and after submitting.

The caller names the kinds that may be seen (labeling.domain.visibility); others are never read.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from labeling.domain.labels import LabelerKind
from labeling.models import Solution, User
from labeling.selectors.completions import Bar, Kept, at, bar_of, kept
from labeling.selectors.voices import Voice, voices


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
    def own(self) -> Voice | None:
        """What the viewer said."""
        return next((voice for voice in self.voices if voice.own), None)

    @property
    def in_question(self) -> tuple[StepRow, ...]:
        """The steps that somebody calls the first error and another one does not."""
        return tuple(step for step in self.steps if step.questioned)

    @property
    def general(self) -> tuple[Voice, ...]:
        """Voices whose critique belongs to no single step."""
        return tuple(v for v in self.voices if v.critique and v.critique_step is None)


def evidence(
    solution: Solution, kinds: Collection[LabelerKind], viewer: User | None = None
) -> Evidence:
    """Read the active labelers' verdicts of these kinds, and the rollouts of steps in question.

    `viewer`: what they themselves said as an annotator they see whatever the kinds.
    """
    found = voices(solution, kinds, viewer)
    machines = [v.labeler_id for v in found if v.kind is LabelerKind.MC]
    asked = _questioned(found)
    samples = kept(solution, machines, asked)
    steps = tuple(
        _step_row(index, text, found, index in asked, samples)
        for index, text in enumerate(solution.steps)
    )
    return Evidence(found, steps)


def _questioned(said_by: Sequence[Voice]) -> frozenset[int]:
    # scores of a reward model are no verdict: it contradicts nobody
    firsts = {v.first_error for v in said_by if v.first_error is not None and v.kind != "prm"}
    return frozenset(firsts) if len(firsts) > 1 else frozenset()


def _step_row(
    index: int,
    text: str,
    said_by: Sequence[Voice],
    questioned: bool,
    samples: Kept,
) -> StepRow:
    cells = tuple(_cell(voice, index) for voice in said_by)
    said = {c.label for c in cells if c.voice.kind is not LabelerKind.PRM and c.label is not None}
    bars = [bar_of(voice, index, samples) for voice in said_by]
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
        label=at(voice.labels, index),
        score=at(voice.scores, index),
        first_error=voice.first_error == index,
    )
