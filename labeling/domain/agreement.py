"""How two labelers' first errors compare, and how a labeler compares with the known truth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from labeling.domain.labels import NO_ERROR


@dataclass(frozen=True, slots=True)
class Agreement:
    """Counts over the solutions that both labelers scored; they add up to `n`."""

    n: int
    both_right: int
    same_error: int
    different_error: int
    only_first: int
    only_second: int

    @property
    def exact(self) -> float | None:
        """Share with the same first error; None when nothing was compared."""
        return (self.both_right + self.same_error) / self.n if self.n else None

    @property
    def cohen_kappa(self) -> float | None:
        """Cohen's κ of "has an error": (po - pe) / (1 - pe); None when pe = 1 or n = 0."""
        if not self.n:
            return None
        both_wrong = self.same_error + self.different_error
        first = (both_wrong + self.only_first) / self.n
        second = (both_wrong + self.only_second) / self.n
        expected = first * second + (1 - first) * (1 - second)
        observed = (self.both_right + both_wrong) / self.n
        return None if expected == 1 else (observed - expected) / (1 - expected)


def compare(pairs: Iterable[tuple[int, int]]) -> Agreement:
    """Count how pairs (first labeler's, second labeler's first error) agree."""
    tally = dict.fromkeys(Agreement.__slots__, 0)
    for first, second in pairs:
        tally["n"] += 1
        tally[_relation(first, second)] += 1
    return Agreement(**tally)


def _relation(first: int, second: int) -> str:
    if first == second:
        return "both_right" if first == NO_ERROR else "same_error"
    if second == NO_ERROR:
        return "only_first"
    return "only_second" if first == NO_ERROR else "different_error"


@dataclass(frozen=True, slots=True)
class Quality:
    """A labeler against the truth. Rates are None where their class is empty."""

    n: int
    exact: float | None
    wrong_called_right: float | None
    right_called_wrong: float | None


def quality(pairs: Iterable[tuple[int, int]]) -> Quality:
    """Measure (labeler's, true) first errors.

    `exact`: share placed exactly. `wrong_called_right`: of the truly wrong solutions, the share
    called right. `right_called_wrong`: of the truly right ones, the share called wrong.
    """
    agreement = compare(pairs)
    wrong = agreement.same_error + agreement.different_error + agreement.only_second
    right = agreement.both_right + agreement.only_first
    return Quality(
        n=agreement.n,
        exact=agreement.exact,
        wrong_called_right=agreement.only_second / wrong if wrong else None,
        right_called_wrong=agreement.only_first / right if right else None,
    )
