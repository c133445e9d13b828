"""Krippendorff's α: agreement beyond chance of any number of labelers, with missing ratings."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from labeling.domain.statistics.confusion import Confusion, StepConfusion
from labeling.domain.statistics.ratings import Ratings
from labeling.domain.statistics.tables import Floats, TableStatistic, evaluate, quotient
from labeling.domain.statistics.undefined import Statistic


class Metric(StrEnum):
    """How far two categories are apart: not at all alike, by rank, or by value."""

    NOMINAL = "nominal"
    ORDINAL = "ordinal"
    INTERVAL = "interval"


def alpha(
    ratings: Ratings | Confusion | StepConfusion, metric: Metric = Metric.NOMINAL
) -> Statistic:
    """Return α = 1 − D_o / D_e over the items with two ratings or more.

    D_o = Σ o_ck δ²_ck / n over the matrix of coincidences o (each item's ordered pairs of ratings
    / (its ratings − 1)); D_e = Σ n_c n_k δ²_ck / (n (n − 1)) over its margins n_c. δ² is 1 for
    unequal categories (nominal), (Σ n_g from c to k − (n_c + n_k) / 2)² (ordinal) or (c − k)²
    (interval) (K. Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability"). Undefined
    without pairs, and where all ratings are the same. For ranks of first errors code "no error"
    by `none_last` first; as an interval it has no meaning.
    """
    categories = (
        ratings.table().categories if isinstance(ratings, StepConfusion) else ratings.categories
    )
    return evaluate(alpha_statistic(categories, metric), ratings.units().table())


def alpha_statistic(categories: Sequence[int], metric: Metric = Metric.NOMINAL) -> TableStatistic:
    """Return α as a function of tables over these categories, in rising order."""
    values = np.array(categories, dtype=float)
    fixed = np.subtract.outer(values, values) ** 2
    if metric is Metric.NOMINAL:
        fixed = np.sign(fixed)

    def krippendorff(tables: Floats) -> Floats:
        coincidences = tables + np.swapaxes(tables, -1, -2)
        sums = coincidences.sum(axis=-1)
        apart = _ranks_apart(sums) if metric is Metric.ORDINAL else fixed
        observed = (coincidences * apart).sum(axis=(-2, -1)) * (sums.sum(axis=-1) - 1)
        expected = (sums[..., :, None] * sums[..., None, :] * apart).sum(axis=(-2, -1))
        return 1 - quotient(observed, expected)

    return krippendorff


def _ranks_apart(sums: Floats) -> Floats:
    # The middle of each category among all sorted ratings; the difference of two middles is
    # Krippendorff's Σ n_g from c to k − (n_c + n_k) / 2.
    middles = np.cumsum(sums, axis=-1) - sums / 2
    return np.asarray((middles[..., :, None] - middles[..., None, :]) ** 2)
