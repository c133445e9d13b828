"""Resampling of counts against scipy's resampling of rows, and what cannot be resampled."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from labeling.domain.statistics.bootstrap import Method, Resampling, bootstrap
from labeling.domain.statistics.confusion import Confusion, StepConfusion
from labeling.domain.statistics.intervals import Interval, wilson
from labeling.domain.statistics.kappa import cohen, cohen_statistic, observed_statistic
from labeling.domain.statistics.undefined import Undefined

TABLE = Confusion({(0, 0): 40, (0, 1): 6, (1, 0): 9, (1, 1): 25, (2, 2): 12, (2, 1): 3})


def kappa_interval(table: Confusion, how: Resampling):
    return bootstrap(table.units(), [cohen_statistic(table.categories)], how)[0]


SKEWED = Confusion({(0, 0): 90, (0, 1): 1, (1, 0): 3, (1, 1): 14})


@pytest.mark.parametrize("method", Method)
def test_intervals_equal_scipys_over_rows(method):
    rows = np.array([cell for cell, n in SKEWED.cells.items() for _ in range(n)])

    def kappa(first, second, axis=-1):
        observed = (first == second).mean(axis)
        p, q = first.mean(axis), second.mean(axis)
        expected = p * q + (1 - p) * (1 - q)
        return (observed - expected) / (1 - expected)

    theirs = scipy.stats.bootstrap(
        (rows[:, 0], rows[:, 1]),
        kappa,
        paired=True,
        n_resamples=10_000,
        method=method.value,
        rng=np.random.default_rng(1),
    ).confidence_interval
    ours = kappa_interval(SKEWED, Resampling(seed=2, resamples=10_000, method=method))
    # the methods' low ends lie 0.045 apart, those of two seeds at most 0.01
    assert ours.low == pytest.approx(theirs.low, abs=0.015)
    assert ours.high == pytest.approx(theirs.high, abs=0.015)


def test_a_biased_statistic_is_corrected_as_scipy_does():
    # |share - 1/2| of 52 in 100 resamples to larger values on average
    table = Confusion({(0, 0): 52, (0, 1): 48})

    def from_half(tables):
        return abs(observed_statistic(tables) - 0.5)

    ours = bootstrap(table.units(), [from_half], Resampling(seed=4, resamples=10_000))[0]
    theirs = scipy.stats.bootstrap(
        (np.repeat([1.0, 0.0], [52, 48]),),
        lambda sample, axis: abs(sample.mean(axis) - 0.5),
        n_resamples=10_000,
        rng=np.random.default_rng(1),
    ).confidence_interval
    assert ours.low == pytest.approx(theirs.low, abs=0.011)
    assert ours.high == pytest.approx(theirs.high, abs=0.011)


def test_the_interval_of_a_share_is_near_wilsons():
    table = Confusion({(0, 0): 700, (0, 1): 300})
    found = bootstrap(table.units(), [observed_statistic], Resampling(seed=3, resamples=4000))[0]
    expected = wilson(700, 1000)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.004)


def test_a_seed_fixes_the_interval_and_another_changes_it():
    assert kappa_interval(TABLE, Resampling(7)) == kappa_interval(TABLE, Resampling(7))
    assert kappa_interval(TABLE, Resampling(7)) != kappa_interval(TABLE, Resampling(8))


def test_resampling_in_parts_draws_the_same(monkeypatch):
    whole = kappa_interval(TABLE, Resampling(7))
    monkeypatch.setattr("labeling.domain.statistics.bootstrap._CELLS_AT_ONCE", 40)
    assert kappa_interval(TABLE, Resampling(7)) == whole


def test_what_cannot_be_resampled_says_why():
    nothing, agreed = Confusion({}), Confusion({(0, 0): 30, (1, 1): 30})
    assert kappa_interval(nothing, Resampling(1)) is Undefined.NOTHING_COMPARED
    # κ = 1 in every resample
    assert kappa_interval(agreed, Resampling(1)) is Undefined.NO_SPREAD
    # without the one disagreement, in 1/e of the resamples, there is one category alone
    rare = Confusion({(0, 0): 50, (0, 1): 1})
    assert cohen(rare) == pytest.approx(0)
    both_rare = Confusion({(0, 0): 50, (1, 1): 1})
    assert kappa_interval(both_rare, Resampling(1)) is Undefined.RARELY_DEFINED


def test_steps_are_resampled_by_solution():
    # 30 solutions agree on all 10 steps, 30 on none: 60 draws, not 600
    steps = StepConfusion({((1, 1, 10),): 30, ((-1, 1, 10),): 30})
    how = Resampling(seed=5)
    by_solution = bootstrap(steps.units(), [observed_statistic], how)[0]
    by_step = bootstrap(steps.table().units(), [observed_statistic], how)[0]
    # standard errors √(1/4 / 60) = 0.065 and √(1/4 / 600) = 0.020
    assert by_solution.width == pytest.approx(2 * 1.96 * 0.065, rel=0.1)
    assert by_step.width == pytest.approx(2 * 1.96 * 0.0204, rel=0.1)


@settings(max_examples=25)
@given(
    st.dictionaries(
        st.tuples(st.integers(0, 2), st.integers(0, 2)), st.integers(1, 30), min_size=1
    ),
    st.integers(0, 2**32),
)
def test_an_interval_has_ends_in_order_or_a_reason(cells, seed):
    found = kappa_interval(Confusion(cells), Resampling(seed, resamples=100))
    if isinstance(found, Interval):
        assert -1 <= found.low <= found.high <= 1
    else:
        assert isinstance(found, Undefined)
