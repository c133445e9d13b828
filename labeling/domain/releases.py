"""The rule of a snapshot: which labels it takes, and how they become training targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from labeling.domain.consensus import DECIDED, DecisionState
from labeling.domain.labels import NO_ERROR, StepLabel
from labeling.domain.phrases import Spoken


class RuleError(Spoken, ValueError):
    """A snapshot rule that is unknown or out of range; the text names the field."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Take the labels of decisions in `states`, or of one labeler (its uid).

    `limit` keeps the first so many training solutions in the order of their content hash, so
    that rules of different label sources can be compared at equal budgets. `neutral_as` is the
    target of neutral steps (1, 0 or None for no loss).
    """

    labeler: str = ""
    states: tuple[DecisionState, ...] = (DecisionState.ADJUDICATED, DecisionState.CONSENSUS)
    limit: int | None = None
    neutral_as: int | None = 1

    def __post_init__(self) -> None:
        if not set(self.states) <= DECIDED:
            raise RuleError("states: only consensus and adjudicated carry labels")
        if self.limit is not None and (isinstance(self.limit, bool) or self.limit < 1):
            raise RuleError("limit: at least 1, or null")
        if self.neutral_as not in (0, 1, None):
            raise RuleError("neutral_as: 0, 1 or null")

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {**asdict(self), "states": sorted(str(state) for state in self.states)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Rule:
        """Read a stored or posted rule; unknown fields are refused."""
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise RuleError("unknown rule fields: {unknown}", unknown=", ".join(unknown))
        try:
            states = tuple(DecisionState(s) for s in values.get("states", cls().states))
        except ValueError as error:
            raise RuleError("states: {error}", error=error) from error
        return cls(**{**values, "states": states})


def targets(
    labels: Sequence[int | None], first_error: int, neutral_as: int | None
) -> tuple[int | None, ...]:
    """Return the training target of each step: 1 right, 0 wrong, None without loss.

    Steps after the first error get None (arXiv 2501.07301 §2.1). Before it, what the labeler did
    not call neutral is right: the first error says so.
    """
    end = _end(labels, first_error)
    before = tuple(neutral_as if label == StepLabel.NEUTRAL else 1 for label in labels[:end])
    if first_error == NO_ERROR:
        return before
    return (*before, 0) + (None,) * (len(labels) - end - 1)


def neutral_steps(labels: Sequence[int | None], first_error: int) -> list[int]:
    """Return the 0-based neutral steps before the first error."""
    end = _end(labels, first_error)
    return [step for step, label in enumerate(labels[:end]) if label == StepLabel.NEUTRAL]


def _end(labels: Sequence[int | None], first_error: int) -> int:
    return len(labels) if first_error == NO_ERROR else first_error
