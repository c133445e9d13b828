"""The bundles that pages show: each number is that of its own function."""

from __future__ import annotations

import pytest

from labeling.domain.statistics import measures
from labeling.domain.statistics.bootstrap import Resampling
from labeling.domain.statistics.confusion import (
    Confusion,
    StepConfusion,
    has_error,
    none_last,
)
from labeling.domain.statistics.intervals import Interval, Proportion
from labeling.domain.statistics.kappa import Weights, cohen, fleiss
from labeling.domain.statistics.krippendorff import Metric, alpha
from labeling.domain.statistics.ratings import Ratings
from labeling.domain.statistics.undefined import Undefined

HOW = Resampling(seed=11, resamples=200)
FIRST_ERRORS = Confusion({(-1, -1): 30, (2, 2): 12, (2, 3): 5, (0, -1): 4, (-1, 4): 6, (3, 3): 9})


def test_first_error_agreement_holds_each_statistic_with_an_interval():
    found = measures.first_error_agreement(FIRST_ERRORS, HOW)
    ranked = none_last(FIRST_ERRORS)
    assert found.exact == Proportion(51, 66)
    assert found.distances.signed == {-1: 5, 0: 21}
    assert found.within_one.value == pytest.approx(found.distances.within(1).value)
    assert found.kappa_error.value == pytest.approx(cohen(FIRST_ERRORS.recoded(has_error)))
    assert found.kappa.value == pytest.approx(cohen(FIRST_ERRORS))
    assert found.kappa_linear.value == pytest.approx(cohen(ranked, Weights.LINEAR))
    assert found.alpha_nominal.value == pytest.approx(alpha(ranked))
    assert found.alpha_ordinal.value == pytest.approx(alpha(ranked, Metric.ORDINAL))
    for each in (found.kappa_error, found.kappa, found.kappa_linear, found.alpha_ordinal):
        assert isinstance(each.interval, Interval)
        assert each.interval.low < each.value < each.interval.high


def test_without_data_every_number_says_so():
    found = measures.first_error_agreement(Confusion({}), HOW)
    nothing = measures.Measured.without(Undefined.NOTHING_COMPARED)
    assert [found.kappa, found.kappa_error, found.alpha_ordinal] == [nothing] * 3
    assert found.exact.interval is Undefined.NOTHING_COMPARED


def test_step_agreement_is_of_the_table_of_steps():
    steps = StepConfusion({((-1, 1, 1), (1, 1, 2)): 8, ((-1, -1, 1), (1, 1, 1)): 9, (): 3})
    found = measures.step_agreement(steps, HOW)
    assert found.solutions == 17
    assert found.exact.value == (8 * 2 + 9 * 2) / (8 * 3 + 9 * 2)
    assert found.kappa.value == cohen(steps.table())
    assert found.alpha_ordinal.value == alpha(steps.table(), Metric.ORDINAL)


def test_group_agreement_counts_what_it_leaves_out():
    ratings = Ratings.of([(0, 0, 1), (1, 1, 1), (0, 1, 1), (0, 0, 0), (1,)])
    found = measures.group_agreement(ratings, HOW)
    assert (found.items, found.unpaired_items) == (4, 1)
    # of 3 pairs each: 1, 3, 1, 3
    assert found.pairs.value == 8 / 12
    assert found.fleiss.value == fleiss(ratings)
    assert found.alpha_nominal.value == alpha(ratings)


def test_a_group_of_varying_size_has_alpha_but_no_fleiss_kappa():
    found = measures.group_agreement(Ratings.of([(0, 0, 1), (1, 1), (0, 1)]), HOW)
    assert found.fleiss == measures.Measured.without(Undefined.RATERS_VARY)
    assert isinstance(found.alpha_nominal.value, float)
