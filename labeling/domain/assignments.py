"""Why a person gets a solution to label, and the reasons for which they pass one back."""

from __future__ import annotations

from enum import StrEnum

from labeling.domain.phrases import marked


class Purpose(StrEnum):
    """Why a solution is leased. People never see it: a test item looks like any other."""

    LABEL = "label"
    AUDIT = "audit"
    GOLD = "gold"
    EXAM = "exam"


class GoldUse(StrEnum):
    """Where a solution with a known answer serves: in the exam, or hidden among the others."""

    EXAM = "exam"
    HIDDEN = "hidden"


class SkipReason(StrEnum):
    """Why a person passes an item back to the others."""

    GIVE_UP = "give_up"
    TOO_LONG = "too_long"
    KNOWN = "known"
    OTHER = "other"

    @property
    def words(self) -> str:
        """Return the reason in words; empty for OTHER, which needs the person's own."""
        return _SKIP_WORDS[self]


class RejectReason(StrEnum):
    """Why an item cannot be labeled by anybody."""

    BAD_PROBLEM = "bad_problem"
    WRONG_REFERENCE = "wrong_reference"
    BAD_STEPS = "bad_steps"
    OTHER = "other"

    @property
    def words(self) -> str:
        """Return the reason in words; empty for OTHER, which needs the person's own."""
        return _REJECT_WORDS[self]


_SKIP_WORDS = {
    SkipReason.GIVE_UP: marked("too hard for me"),
    SkipReason.TOO_LONG: marked("would take too long"),
    SkipReason.KNOWN: marked("I know this item already"),
    SkipReason.OTHER: "",
}
_REJECT_WORDS = {
    RejectReason.BAD_PROBLEM: marked("the problem is wrong or unclear"),
    RejectReason.WRONG_REFERENCE: marked("the reference answer is wrong"),
    RejectReason.BAD_STEPS: marked("the steps are cut badly"),
    RejectReason.OTHER: "",
}
