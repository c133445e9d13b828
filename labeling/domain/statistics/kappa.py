"""Agreement beyond chance: Cohen's κ of two labelers, Fleiss' κ of any fixed number."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from labeling.domain.statistics.confusion import Confusion, StepConfusion
from labeling.domain.statistics.ratings import Ratings
from labeling.domain.statistics.tables import (
    Floats,
    TableStatistic,
    evaluate,
    quotient,
)
from labeling.domain.statistics.undefined import Statistic, Undefined


class Weights(StrEnum):
    """How much a disagreement counts: the same always, its distance, or its distance squared."""

    NONE = "none"
    LINEAR = "linear"
    QUADRATIC = "quadratic"


def cohen(confusion: Confusion | StepConfusion, weights: Weights = Weights.NONE) -> Statistic:
    """Return Cohen's κ = 1 − Σ w·o / Σ w·e.

    o: the observed table; e: the product of its margins / n; w: 0 for equal categories, else 1,
    |a − b| or (a − b)² of the categories' values (J. Cohen 1960, doi 10.1177/001316446002000104;
    weighted: 1968, doi 10.1037/h0026256). Undefined without data, and where both labelers say one
    and the same thing always. With weights, "no error" should first be coded by `none_last`.
    """
    table = confusion if isinstance(confusion, Confusion) else confusion.table()
    return evaluate(cohen_statistic(table.categories, weights), table.units().table())


def cohen_statistic(categories: Sequence[int], weights: Weights = Weights.NONE) -> TableStatistic:
    """Return κ as a function of tables over these categories."""
    apart = np.abs(np.subtract.outer(np.array(categories), np.array(categories))).astype(float)
    cost = {Weights.NONE: np.sign(apart), Weights.LINEAR: apart, Weights.QUADRATIC: apart**2}
    chosen = cost[weights]

    def kappa(tables: Floats) -> Floats:
        rows, columns = tables.sum(axis=-1), tables.sum(axis=-2)
        observed = (tables * chosen).sum(axis=(-2, -1)) * rows.sum(axis=-1)
        expected = ((rows @ chosen) * columns).sum(axis=-1)
        return 1 - quotient(observed, expected)

    return kappa


def observed_statistic(tables: Floats) -> Floats:
    """Return the share of equal labels, without regard to chance."""
    return quotient(np.trace(tables, axis1=-2, axis2=-1), tables.sum(axis=(-2, -1)))


def fleiss(ratings: Ratings) -> Statistic:
    """Return Fleiss' κ = (P̄ − P̄e) / (1 − P̄e) over the items with two ratings or more.

    P̄: the mean share of an item's pairs of ratings that agree; P̄e = Σ (share of category)²
    (J. L. Fleiss 1971, doi 10.1037/h0031619). The labelers need not be the same for each item,
    but their number must be; where it varies choose one by `Ratings.with_raters`, or use
    Krippendorff's α, which is made for it.
    """
    if len(ratings.raters) > 1:
        return Undefined.RATERS_VARY
    return evaluate(fleiss_statistic, ratings.units().table())


def fleiss_statistic(tables: Floats) -> Floats:
    """Return Fleiss' κ of tables as `Ratings.units` makes them (or Scott's π of two labelers)."""
    coincidences = tables + np.swapaxes(tables, -1, -2)
    total = coincidences.sum(axis=(-2, -1))
    shares = quotient(coincidences.sum(axis=-1), total[..., None])
    observed = quotient(np.trace(coincidences, axis1=-2, axis2=-1), total)
    expected = (shares**2).sum(axis=-1)
    return quotient(observed - expected, 1 - expected)
