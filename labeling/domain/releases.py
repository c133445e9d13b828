"""The rule of a snapshot: which labels it takes, and how they become training targets."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from labeling.domain.consensus import DECIDED, DecisionState
from labeling.domain.labels import NO_ERROR, StepLabel
from labeling.domain.phrases import Spoken


class RuleError(Spoken, ValueError):
    """A snapshot rule that is unknown or out of range; the text names the field."""


class AfterError(StrEnum):
    """What the steps after the first error are: without loss, wrong, or what the labeler said.

    Without loss is what arXiv 2501.07301 §2.1 does; Math-Shepherd calls them wrong.
    """

    DROP = "drop"
    WRONG = "wrong"
    SAID = "said"


class Target(StrEnum):
    """Hard: right or wrong. Soft: only solutions whose every label has an unbiased k of n."""

    HARD = "hard"
    SOFT = "soft"


EVALUATION_SET = re.compile(r"(source|project):(.{1,120})", re.DOTALL)
"""How a rule names an evaluation set: problems of a source in this project, or of a project."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Take the labels of decisions in `states`, or of one labeler (its uid).

    `limit` keeps the first so many training solutions in the order of their content hash, so
    that rules of different label sources can be compared at equal budgets. `neutral_as` is the
    target of neutral steps (1, 0 or None for no loss). `dedup` keeps one of the solutions that
    differ only in white space and case, and keeps problems whose statements differ only so on one
    side of the split. `without` leaves out the problems of evaluation sets (EVALUATION_SET).
    `critiques` takes the judge's words along where it names the decided first error.
    """

    labeler: str = ""
    states: tuple[DecisionState, ...] = (DecisionState.ADJUDICATED, DecisionState.CONSENSUS)
    limit: int | None = None
    neutral_as: int | None = 1
    after_error: AfterError = AfterError.DROP
    target: Target = Target.HARD
    dedup: bool = False
    without: tuple[str, ...] = ()
    critiques: bool = False

    def __post_init__(self) -> None:
        if not set(self.states) <= DECIDED:
            raise RuleError("states: only consensus and adjudicated carry labels")
        if self.limit is not None and (isinstance(self.limit, bool) or self.limit < 1):
            raise RuleError("limit: at least 1, or null")
        if self.neutral_as not in (0, 1, None):
            raise RuleError("neutral_as: 0, 1 or null")
        for name in ("dedup", "critiques"):
            if not isinstance(getattr(self, name), bool):
                raise RuleError("{name}: true or false", name=name)
        for name in self.without:
            if not isinstance(name, str) or not EVALUATION_SET.fullmatch(name):
                raise RuleError("without: {name} is neither source:… nor project:…", name=name)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {
            **asdict(self),
            "states": sorted(str(state) for state in self.states),
            "after_error": str(self.after_error),
            "target": str(self.target),
            "without": sorted(self.without),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Rule:
        """Read a stored or posted rule; unknown fields are refused."""
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise RuleError("unknown rule fields: {unknown}", unknown=", ".join(unknown))
        read = dict(values)
        for name, kind in (("after_error", AfterError), ("target", Target)):
            if name in read:
                read[name] = _member(kind, name, read[name])
        if "states" in read:
            read["states"] = tuple(_member(DecisionState, "states", s) for s in read["states"])
        if "without" in read:
            if not isinstance(read["without"], list | tuple):
                raise RuleError("without: a list of evaluation sets is expected")
            read["without"] = tuple(read["without"])
        return cls(**read)


def _member(kind: type[StrEnum], name: str, value: Any) -> Any:
    try:
        return kind(value)
    except ValueError as error:
        raise RuleError("{name}: {error}", name=name, error=error) from error


def targets(
    labels: Sequence[int | None],
    first_error: int,
    neutral_as: int | None,
    after_error: AfterError = AfterError.DROP,
) -> tuple[int | None, ...]:
    """Return the training target of each step: 1 right, 0 wrong, None without loss.

    Before the first error, what the labeler did not call neutral is right: the first error says
    so. `first_wrong` names the first error of the targets.
    """
    end = _end(labels, first_error)
    meant = [neutral_as if label == StepLabel.NEUTRAL else 1 for label in labels[:end]]
    wrong = first_wrong(meant, first_error)
    if wrong == NO_ERROR:
        return tuple(meant)
    after = _after(labels[wrong + 1 :], neutral_as, after_error)
    return (*meant[:wrong], 0, *after)


def first_wrong(targets: Sequence[int | None], first_error: int) -> int:
    """Return the first error where neutral steps may count as wrong."""
    return next((index for index, target in enumerate(targets) if target == 0), first_error)


def _after(
    labels: Sequence[int | None], neutral_as: int | None, after_error: AfterError
) -> list[int | None]:
    if after_error is AfterError.SAID:
        said = {StepLabel.CORRECT: 1, StepLabel.WRONG: 0, StepLabel.NEUTRAL: neutral_as}
        return [None if label is None else said[StepLabel(label)] for label in labels]
    return [0 if after_error is AfterError.WRONG else None] * len(labels)


def neutral_steps(labels: Sequence[int | None], first_error: int) -> list[int]:
    """Return the 0-based neutral steps before the first error."""
    end = _end(labels, first_error)
    return [step for step, label in enumerate(labels[:end]) if label == StepLabel.NEUTRAL]


def _end(labels: Sequence[int | None], first_error: int) -> int:
    return len(labels) if first_error == NO_ERROR else first_error


_SPACING = re.compile(r"\\(?:left|right|displaystyle|quad|qquad|text|mathrm|[,;:! ()\[\]])")
_NO_PART = re.compile(r"[^\w+*/=<>^%.-]|_|\.(?!\d)")


def statement_key(statement: str) -> str:
    """Return what two writings of the same statement share.

    Letters, digits and operators count; case, white space, punctuation and TeX's spacing do not. A
    statement of nothing else is its own key.
    """
    text = _SPACING.sub("", unicodedata.normalize("NFKC", statement)).casefold()
    return _NO_PART.sub("", text) or statement
