"""Wilson's interval by hand and against scipy; how many trials a width needs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from labeling.domain.statistics.intervals import (
    Interval,
    Proportion,
    trials_for,
    wilson,
)
from labeling.domain.statistics.undefined import Undefined

counts = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
widths = st.floats(0.001, 0.9)


def test_wilson_of_ten_of_ten_by_hand():
    # p = 1: low = (1 + z²/2n - z²/2n) / (1 + z²/n) = 1 / (1 + 3.8415 / 10)
    ends = wilson(10, 10)
    assert ends == Interval(pytest.approx(1 / 1.38415, abs=1e-5), 1.0)


def test_wilson_without_trials_is_undefined():
    assert wilson(0, 0) is Undefined.NOTHING_COMPARED
    assert Proportion(0, 0).interval is Undefined.NOTHING_COMPARED
    assert Proportion(0, 0).value is Undefined.NOTHING_COMPARED


@given(counts, st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_equals_scipys(counted, confidence):
    part, whole = counted
    theirs = binomtest(part, whole).proportion_ci(confidence, method="wilson")
    ours = wilson(part, whole, confidence)
    assert (ours.low, ours.high) == (pytest.approx(theirs.low), pytest.approx(theirs.high))
    assert 0 <= ours.low <= part / whole <= ours.high <= 1


@given(widths, st.floats(0, 1))
def test_trials_for_a_width_are_the_fewest_that_do(width, p):
    trials = trials_for(width, p)
    assert wilson(p * trials, trials).width <= width + 1e-6
    if trials > 1:
        assert wilson(p * (trials - 1), trials - 1).width > width - 1e-9


@pytest.mark.parametrize("width", [0, 1, -0.1, 2])
def test_a_width_that_no_interval_has_is_refused(width):
    with pytest.raises(ValueError, match="width"):
        trials_for(width, 0.5)


def test_further_trials_start_from_one_half_without_data():
    # Wilson at p = 1/2: width = z / √(n + z²) ≤ 0.1: n ≥ 384.146 - 3.841 = 380.3
    assert Proportion(0, 0).further(0.1) == 381


def test_a_spotless_start_does_not_promise_too_much():
    # 20 of 20: planned (20 + 1.92) / (20 + 3.84) = 0.919, not 1
    assert Proportion(20, 20).further(0.1) == trials_for(0.1, 21.9207 / 23.8415) - 20
    assert Proportion(20, 20).further(0.1) > trials_for(0.1, 1.0) - 20


@given(counts, widths)
def test_no_further_trials_are_needed_where_the_interval_is_narrow(counted, width):
    found = Proportion(*counted)
    assert found.further(width) >= 0
    if found.interval.width > width:
        # the planned share is nearer to one half than the seen one, so it never asks for less
        assert found.further(width) > 0
