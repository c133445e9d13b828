"""What a row of a file holds once it is read, whatever its format.

Named tuples, not dataclasses: a large file makes millions of them, in a third of the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from labeling.domain.labels import LabelerKind, StepLabels, VerdictState
from labeling.domain.phrases import Spoken
from labeling.domain.steps import SplitRule

Row = Mapping[str, Any]


class RowError(Spoken, ValueError):
    """A row that cannot be imported; the text names the field and says why."""


class Source(NamedTuple):
    """Whose verdicts a file holds. Without a kind the file does not say who or what labeled."""

    kind: LabelerKind | None = None
    name: str = ""


UNKNOWN = Source()
SOMEONE = Source(LabelerKind.HUMAN)
"""A person whom the row does not name."""


NAMEABLE = (
    LabelerKind.HUMAN,
    LabelerKind.MC,
    LabelerKind.JUDGE,
    LabelerKind.PRM,
    LabelerKind.GOLD,
)
"""What labels of unknown origin can be said to be; an adjudicator is a person of this project."""


class GivenVerdict(NamedTuple):
    """A verdict that comes with a solution; see labeling.models.Verdict for the fields."""

    source: Source
    first_error: int | None = None
    step_labels: StepLabels = ()
    state: VerdictState = VerdictState.SCORED
    step_scores: tuple[float | None, ...] = ()
    counts: tuple[tuple[int, int] | None, ...] = ()
    """(k, n) of each step's Monte-Carlo completions."""
    critique: str = ""
    reason: str = ""
    seconds: float = 0.0


class ProblemRow(NamedTuple):
    """A problem; an empty answer means that none is known."""

    statement: str
    answer: str = ""
    external_id: str = ""
    source: str = ""
    licence: str = ""


class SolutionRow(NamedTuple):
    """A solution and the verdicts on it; `gaps` as in labeling.domain.steps."""

    steps: tuple[str, ...]
    gaps: tuple[str, ...] = ()
    external_id: str = ""
    generator: str = ""
    final_answer: str | None = None
    final_answer_correct: bool | None = None
    truncated: bool = False
    """The beginning of a solution: it ends before an answer."""
    verdicts: tuple[GivenVerdict, ...] = ()


class ImportRow(NamedTuple):
    """What one row holds: a problem, and a solution of it if there is one.

    `notes` say what in the row is odd, in words that do not depend on the row.
    """

    problem: ProblemRow
    solution: SolutionRow | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read: `rule` splits solutions given as one text; `alternatives` takes the steps that
    PRM800K's labelers saw but did not follow, each as the end of a truncated solution."""

    rule: SplitRule = field(default_factory=SplitRule)
    alternatives: bool = True
