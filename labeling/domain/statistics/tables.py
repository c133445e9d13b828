"""Statistics of a table of two ratings, for one table or for thousands of resampled ones at once.

Inside, "no value" is NaN; `evaluate` turns it into a reason, so none leaves this package.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from labeling.domain.statistics.undefined import Statistic, Undefined

Floats: TypeAlias = npt.NDArray[np.float64]
Counts: TypeAlias = npt.NDArray[np.int64]

TableStatistic: TypeAlias = Callable[[Floats], Floats]
"""From tables (..., categories, categories) to values (...), NaN where there is none."""


@dataclass(frozen=True, slots=True)
class Units:
    """What was drawn independently, as kinds of units with equal contributions to the table.

    `counts` (kinds): how many units of each kind. `values` (kinds x cells): what one of them adds
    to each of the table's `cells` (flat indices); None where kind k adds 1 to cell k alone.
    """

    size: int
    counts: Counts
    cells: Counts
    values: Floats | None = None

    def tables(self, draws: Floats) -> Floats:
        """Return the tables (..., size, size) of so many units of each kind (..., kinds)."""
        flat = np.zeros((*draws.shape[:-1], self.size * self.size))
        flat[..., self.cells] = draws if self.values is None else draws @ self.values
        return flat.reshape(*draws.shape[:-1], self.size, self.size)

    def table(self) -> Floats:
        """Return the table that was seen."""
        return self.tables(self.counts.astype(np.float64))


def evaluate(statistic: TableStatistic, table: Floats) -> Statistic:
    """Return the value for one table, or why there is none."""
    if not table.sum():
        return Undefined.NOTHING_COMPARED
    value = float(statistic(table))
    return Undefined.ONE_CATEGORY if np.isnan(value) else value


def recoded(statistic: TableStatistic, codes: Sequence[int]) -> TableStatistic:
    """Return a statistic of tables whose categories are first merged by their codes."""
    merge = np.equal.outer(np.array(codes), np.unique(codes)).astype(np.float64)
    return lambda tables: statistic(merge.T @ tables @ merge)


def quotient(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, NaN where the whole is 0."""
    empty = np.isclose(whole, 0.0, atol=1e-12)
    return np.where(empty, np.nan, part / np.where(empty, 1.0, whole))
