"""The label algebra: labelers, step labels, first errors, verdicts. Knows no storage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from labeling.domain.phrases import Spoken, marked

NO_ERROR = -1
"""First error of a solution whose every step is right."""


class LabelerKind(StrEnum):
    """Where a verdict comes from."""

    MC = "mc"
    JUDGE = "judge"
    HUMAN = "human"
    ADJUDICATOR = "adjudicator"
    PRM = "prm"
    GOLD = "gold"

    __hash__ = str.__hash__  # an enum's own is computed in Python: imports look up millions

    @property
    def words(self) -> str:
        """Return the name that pages show."""
        return _KIND_WORDS[self]


_KIND_WORDS = {
    LabelerKind.MC: marked("Monte Carlo"),
    LabelerKind.JUDGE: marked("LLM judge"),
    LabelerKind.HUMAN: marked("Annotator"),
    LabelerKind.ADJUDICATOR: marked("Adjudicator"),
    LabelerKind.PRM: marked("PRM"),
    LabelerKind.GOLD: marked("Gold key"),
}


class VerdictState(StrEnum):
    """What a labeler could say.

    SCORED: a verdict. UNSCORED: nothing readable. REJECTED: the item cannot be labeled. REFUTED:
    only that the judge's first error is not the labeler's own (labeling.domain.monte_carlo).
    """

    SCORED = "scored"
    UNSCORED = "unscored"
    REJECTED = "rejected"
    REFUTED = "refuted"

    __hash__ = str.__hash__


class StepLabel(IntEnum):
    """The label of one step; "not judged" is None."""

    WRONG = -1
    NEUTRAL = 0
    CORRECT = 1


StepLabels = tuple[int | None, ...]
_LABELS = (-1, 0, 1, None)


class LabelError(Spoken, ValueError):
    """Step labels and first error that contradict each other or the solution."""


@dataclass(frozen=True, slots=True)
class VerdictView:
    """One labeler's verdict as the decision rule sees it.

    `by_user`: of a person who works here, not of one whose labels came with a data set.
    """

    id: int
    kind: LabelerKind
    state: VerdictState
    first_error: int | None
    by_user: bool = False


def first_error_of(labels: Sequence[int | None]) -> int | None:
    """Return the index of the first wrong step, NO_ERROR when all are judged and none is wrong.

    None when a step before any wrong one is not judged: the first error is then unknown.
    """
    for index, label in enumerate(labels):
        if label is None:
            return None
        if label == StepLabel.WRONG:
            return index
    return NO_ERROR


def labels_up_to(first_error: int, step_count: int) -> StepLabels:
    """Return the labels that a first error alone implies: right before it, wrong at it, then None.

    The steps after the first error are not judged (arXiv 2501.07301 §2.1 drops them).
    """
    check_first_error(first_error, step_count)
    if first_error == NO_ERROR:
        return (1,) * step_count
    return (1,) * first_error + (-1,) + (None,) * (step_count - first_error - 1)


def check_first_error(first_error: int, step_count: int) -> None:
    """Raise LabelError unless the index is NO_ERROR or names a step."""
    if not NO_ERROR <= first_error < step_count:
        raise LabelError(
            "first error {first_error} is outside the {step_count} steps",
            first_error=first_error,
            step_count=step_count,
        )


def check_labels(labels: Sequence[int | None], step_count: int) -> None:
    """Raise LabelError unless there is one label from {-1, 0, 1, None} per step."""
    if len(labels) != step_count:
        raise LabelError(
            "{count} labels for {step_count} steps", count=len(labels), step_count=step_count
        )
    if all(map(_LABELS.__contains__, labels)):
        return
    for index, label in enumerate(labels):
        if label not in _LABELS:
            raise LabelError(
                "step {index}: label {label!r} is not one of -1, 0, 1, null",
                index=index,
                label=label,
            )
