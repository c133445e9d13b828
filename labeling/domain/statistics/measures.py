"""Every number that a page shows of two labelers, or of a group of them, with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from labeling.domain.statistics.bootstrap import Resampling, bootstrap
from labeling.domain.statistics.confusion import (
    Confusion,
    StepConfusion,
    no_error_rank,
    none_last,
)
from labeling.domain.statistics.distances import Distances, distances, within_statistic
from labeling.domain.statistics.intervals import MaybeInterval, Proportion
from labeling.domain.statistics.kappa import (
    Weights,
    cohen_statistic,
    fleiss_statistic,
    observed_statistic,
)
from labeling.domain.statistics.krippendorff import Metric, alpha_statistic
from labeling.domain.statistics.ratings import Ratings
from labeling.domain.statistics.refuted import standing_for_refuted, units_with_refuted
from labeling.domain.statistics.tables import TableStatistic, Units, evaluate, recoded
from labeling.domain.statistics.undefined import Statistic, Undefined


@dataclass(frozen=True, slots=True)
class Measured:
    """A statistic and how uncertain it is; each may be undefined for a reason of its own."""

    value: Statistic
    interval: MaybeInterval

    @classmethod
    def without(cls, reason: Undefined) -> Measured:
        """Return neither value nor interval, for one reason."""
        return cls(reason, reason)


def measured(
    units: Units, statistics: Mapping[str, TableStatistic], how: Resampling
) -> dict[str, Measured]:
    """Return statistics of counted units by name, with bootstrap intervals from one resampling."""
    table = units.table()
    values = {name: evaluate(statistic, table) for name, statistic in statistics.items()}
    intervals = bootstrap(units, list(statistics.values()), how)
    return {
        name: Measured.without(value) if isinstance(value, Undefined) else Measured(value, interval)
        for (name, value), interval in zip(values.items(), intervals, strict=True)
    }


@dataclass(frozen=True, slots=True)
class FirstErrorAgreement:
    """Two labelers on whole solutions.

    `distances` counts the solutions that both labeled in full. `kappa_error`: Cohen's κ of "has
    an error"; the other κ and both α are of the first error itself, by rank with "no error" after
    the last step.
    """

    exact: Proportion
    distances: Distances
    within_one: Measured
    kappa_error: Measured
    kappa: Measured
    kappa_linear: Measured
    fleiss: Measured
    alpha_nominal: Measured
    alpha_ordinal: Measured


def first_error_agreement(
    first_errors: Confusion, how: Resampling, refuted: int = 0
) -> FirstErrorAgreement:
    """Measure how two labelers agree on first errors.

    `refuted`: further solutions of which only disagreement is known
    (labeling.domain.statistics.refuted); those known in full then stand for them.
    """
    ranked = none_last(first_errors)
    ranks, none = ranked.categories, no_error_rank(first_errors)
    is_none = [int(rank == none) for rank in ranks]
    statistics = {
        "within_one": within_statistic(ranks, 1, none),
        "kappa_error": recoded(cohen_statistic(sorted(set(is_none))), is_none),
        "kappa": cohen_statistic(ranks),
        "kappa_linear": cohen_statistic(ranks, Weights.LINEAR),
        "fleiss": fleiss_statistic,
        "alpha_nominal": alpha_statistic(ranks),
        "alpha_ordinal": alpha_statistic(ranks, Metric.ORDINAL),
    }
    units = ranked.units()
    if refuted:
        units = units_with_refuted(ranked, refuted)
        statistics = {name: standing_for_refuted(each) for name, each in statistics.items()}
    if refuted and first_errors.same == first_errors.total:
        found = dict.fromkeys(statistics, Measured.without(Undefined.REFUTED_UNSEEN))
    else:
        found = measured(units, statistics, how)
    return FirstErrorAgreement(
        exact=Proportion(first_errors.same, first_errors.total + refuted),
        distances=distances(first_errors),
        **found,
    )


@dataclass(frozen=True, slots=True)
class StepAgreement:
    """Two labelers on the steps that both judged; resampled by solution."""

    table: Confusion
    solutions: int
    exact: Measured
    kappa: Measured
    fleiss: Measured
    alpha_nominal: Measured
    alpha_ordinal: Measured


def step_agreement(steps: StepConfusion, how: Resampling) -> StepAgreement:
    """Measure how two labelers agree on step labels."""
    table = steps.table()
    statistics = {
        "exact": observed_statistic,
        "kappa": cohen_statistic(table.categories),
        "fleiss": fleiss_statistic,
        "alpha_nominal": alpha_statistic(table.categories),
        "alpha_ordinal": alpha_statistic(table.categories, Metric.ORDINAL),
    }
    return StepAgreement(
        table=table, solutions=steps.solutions, **measured(steps.units(), statistics, how)
    )


@dataclass(frozen=True, slots=True)
class GroupAgreement:
    """Any number of labelers on the same items. `pairs`: share of equal pairs of ratings."""

    items: int
    unpaired_items: int
    pairs: Measured
    fleiss: Measured
    alpha_nominal: Measured
    alpha_ordinal: Measured


def group_agreement(ratings: Ratings, how: Resampling) -> GroupAgreement:
    """Measure how a group of labelers agrees; for ranks "no error" must be coded beforehand."""
    statistics = {
        "fleiss": fleiss_statistic,
        "alpha_nominal": alpha_statistic(ratings.categories),
        "alpha_ordinal": alpha_statistic(ratings.categories, Metric.ORDINAL),
    }
    found = measured(ratings.units(), statistics, how)
    if len(ratings.raters) > 1:
        found["fleiss"] = Measured.without(Undefined.RATERS_VARY)
    return GroupAgreement(
        items=sum(ratings.paired.values()),
        unpaired_items=ratings.unpaired_items,
        **measured(ratings.pair_units(), {"pairs": observed_statistic}, how),
        **found,
    )
