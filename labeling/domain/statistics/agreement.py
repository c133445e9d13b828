"""How two labelers' first errors compare, and how a labeler compares with the known truth."""

from __future__ import annotations

from dataclasses import dataclass

from labeling.domain.labels import NO_ERROR
from labeling.domain.statistics import kappa
from labeling.domain.statistics.confusion import Confusion
from labeling.domain.statistics.undefined import Statistic, share


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
    def exact(self) -> Statistic:
        """Share with the same first error."""
        return share(self.both_right + self.same_error, self.n)

    @property
    def cohen_kappa(self) -> Statistic:
        """Cohen's κ of "has an error"."""
        both_wrong = self.same_error + self.different_error
        cells = {(0, 0): self.both_right, (1, 1): both_wrong}
        return kappa.cohen(Confusion(cells | {(1, 0): self.only_first, (0, 1): self.only_second}))


def compare(first_errors: Confusion) -> Agreement:
    """Count how the first errors of two labelers relate."""
    tally = dict.fromkeys(Agreement.__slots__, 0)
    for (first, second), times in first_errors.cells.items():
        tally["n"] += times
        tally[_relation(first, second)] += times
    return Agreement(**tally)


def _relation(first: int, second: int) -> str:
    if first == second:
        return "both_right" if first == NO_ERROR else "same_error"
    if second == NO_ERROR:
        return "only_first"
    return "only_second" if first == NO_ERROR else "different_error"


@dataclass(frozen=True, slots=True)
class Quality:
    """A labeler against the truth. Rates are undefined where their class is empty."""

    n: int
    exact: Statistic
    wrong_called_right: Statistic
    right_called_wrong: Statistic


def quality(first_errors: Confusion) -> Quality:
    """Measure a labeler's first errors (first) against the true ones (second).

    `exact`: share placed exactly. `wrong_called_right`: of the truly wrong solutions, the share
    called right. `right_called_wrong`: of the truly right ones, the share called wrong.
    """
    counted = compare(first_errors)
    wrong = counted.same_error + counted.different_error + counted.only_second
    right = counted.both_right + counted.only_first
    return Quality(
        n=counted.n,
        exact=counted.exact,
        wrong_called_right=share(counted.only_second, wrong),
        right_called_wrong=share(counted.only_first, right),
    )
