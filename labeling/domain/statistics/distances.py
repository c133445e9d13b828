"""How far apart two labelers' first errors lie, and where only one of them found an error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from labeling.domain.labels import NO_ERROR
from labeling.domain.statistics.confusion import Confusion
from labeling.domain.statistics.intervals import Proportion
from labeling.domain.statistics.tables import TableStatistic, quotient
from labeling.domain.statistics.undefined import Statistic, Undefined


@dataclass(frozen=True, slots=True)
class Distances:
    """`signed`: solutions by (first's − second's first error), where both found one.

    "No error" has no place among the steps, so it is never at a distance: solutions where neither
    or only one found an error are counted beside. The counts add up to `total`.
    """

    both_none: int
    only_first: int
    only_second: int
    signed: Mapping[int, int]

    @property
    def both_errors(self) -> int:
        """Solutions where both found an error."""
        return sum(self.signed.values())

    @property
    def total(self) -> int:
        """Solutions that both labeled."""
        return self.both_none + self.only_first + self.only_second + self.both_errors

    @property
    def absolute(self) -> dict[int, int]:
        """Solutions by |distance| in steps, where both found an error."""
        sizes: Counter[int] = Counter()
        for distance, n in self.signed.items():
            sizes[abs(distance)] += n
        return dict(sorted(sizes.items()))

    def within(self, steps: int) -> Proportion:
        """Return the share of all compared solutions that agree within so many steps.

        Two "no error" agree; "no error" and an error never do, wherever the error is.
        """
        near = sum(n for distance, n in self.signed.items() if abs(distance) <= steps)
        return Proportion(self.both_none + near, self.total)

    @property
    def mean(self) -> Statistic:
        """Mean signed distance in steps: above 0, the first labeler finds errors later."""
        if not self.both_errors:
            return Undefined.NO_TWO_ERRORS
        return sum(distance * n for distance, n in self.signed.items()) / self.both_errors

    @property
    def mean_absolute(self) -> Statistic:
        """Mean |distance| in steps."""
        if not self.both_errors:
            return Undefined.NO_TWO_ERRORS
        return sum(abs(distance) * n for distance, n in self.signed.items()) / self.both_errors


def distances(first_errors: Confusion) -> Distances:
    """Count how far apart the first errors of two labelers lie."""
    beside = dict.fromkeys(("both_none", "only_first", "only_second"), 0)
    signed: Counter[int] = Counter()
    for (first, second), n in first_errors.cells.items():
        if NO_ERROR not in (first, second):
            signed[first - second] += n
        elif first == second:
            beside["both_none"] += n
        else:
            beside["only_first" if second == NO_ERROR else "only_second"] += n
    return Distances(**beside, signed=dict(sorted(signed.items())))


def within_statistic(categories: Sequence[int], steps: int, none: int) -> TableStatistic:
    """Return `Distances.within` as a function of tables; `none`: the code of "no error"."""
    places = np.array(categories)
    errors = places != none
    near = np.abs(np.subtract.outer(places, places)) <= steps
    counts = (near & np.logical_and.outer(errors, errors)) | np.eye(len(places), dtype=bool)
    return lambda tables: quotient((tables * counts).sum(axis=(-2, -1)), tables.sum(axis=(-2, -1)))
