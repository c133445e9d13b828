"""κ by hand, and against scikit-learn and statsmodels."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import fleiss_kappa

from labeling.domain.statistics.confusion import Confusion, StepConfusion
from labeling.domain.statistics.kappa import Weights, cohen, fleiss, observed_statistic
from labeling.domain.statistics.ratings import Ratings
from labeling.domain.statistics.undefined import Undefined
from tests.unit.labeling.domain.statistics.sides import mirrored

cells = st.dictionaries(
    st.tuples(st.integers(-1, 5), st.integers(-1, 5)), st.integers(1, 50), min_size=1
)
_THEIRS = {Weights.NONE: None, Weights.LINEAR: "linear", Weights.QUADRATIC: "quadratic"}


def test_cohen_by_hand():
    # po = 35/50; pe = .5 * .6 + .5 * .4 = .5; (.7 - .5) / .5
    assert cohen(Confusion({(1, 1): 20, (1, 0): 5, (0, 1): 10, (0, 0): 15})) == pytest.approx(0.4)


def test_weighted_cohen_by_hand():
    # margins: rows 1/2 on 0, 1/2 on 2; columns 1/2 on 0, 1/4 on 1, 1/4 on 2; n = 4
    table = Confusion({(0, 0): 2, (2, 1): 1, (2, 2): 1})
    # linear: seen |2-1| / 4 = 1/4; expected 1/2 (0 + 1/4 + 2/4) + 1/2 (2/2 + 1/4 + 0) = 1
    assert cohen(table, Weights.LINEAR) == pytest.approx(1 - 1 / 4)
    # squared: seen 1/4; expected 1/2 (1/4 + 4/4) + 1/2 (4/2 + 1/4) = 14/8
    assert cohen(table, Weights.QUADRATIC) == pytest.approx(1 - 1 / 7)


def test_cohen_of_opposed_labelers_is_minus_one():
    assert cohen(Confusion({(0, 1): 7, (1, 0): 7})) == pytest.approx(-1)


def test_cohen_of_steps_is_that_of_their_table():
    steps = StepConfusion({((-1, 1, 1), (1, 1, 2)): 3, ((-1, -1, 1), (1, 1, 1)): 2})
    assert cohen(steps) == cohen(steps.table())


def test_kappa_says_why_it_is_undefined():
    assert cohen(Confusion({})) is Undefined.NOTHING_COMPARED
    assert cohen(Confusion({(3, 3): 9})) is Undefined.ONE_CATEGORY
    assert fleiss(Ratings({})) is Undefined.NOTHING_COMPARED
    assert fleiss(Ratings({(1,): 9})) is Undefined.NOTHING_COMPARED
    assert fleiss(Ratings({(1, 1, 1): 9})) is Undefined.ONE_CATEGORY


def test_one_sided_constancy_is_chance_not_undefined():
    # the first always says 1: po = pe = 1/2
    assert cohen(Confusion({(1, 1): 5, (1, 0): 5})) == pytest.approx(0)


@given(cells, st.sampled_from(Weights))
def test_cohen_equals_scikit_learns(counted, weights):
    table = Confusion(counted)
    rows = np.array([cell for cell, n in counted.items() for _ in range(n)])
    ours = cohen(table, weights)
    if ours is Undefined.ONE_CATEGORY:
        assert len(table.categories) == 1
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # labels that nobody used
        theirs = cohen_kappa_score(
            rows[:, 0], rows[:, 1], labels=range(-1, 6), weights=_THEIRS[weights]
        )
    assert ours == pytest.approx(theirs, abs=1e-9)


@given(cells, st.integers(2, 9))
def test_cohen_is_symmetric_and_free_of_scale(counted, times):
    table = Confusion(counted)
    assert cohen(table) == pytest.approx(cohen(mirrored(table)))
    assert cohen(table) == pytest.approx(
        cohen(Confusion({c: n * times for c, n in counted.items()}))
    )


def test_fleiss_by_hand():
    # P = (1 + 1/3) / 2 = 2/3; Pe = (5/6)^2 + (1/6)^2 = 13/18; (2/3 - 13/18) / (5/18)
    assert fleiss(Ratings.of([(1, 1, 1), (1, 1, 2)])) == pytest.approx(-1 / 5)


def test_fleiss_refuses_varying_numbers_until_one_is_chosen():
    ratings = Ratings.of([(1, 1, 1), (1, 1, 2), (1, 2)])
    assert fleiss(ratings) is Undefined.RATERS_VARY
    assert fleiss(ratings.with_raters(3)) == pytest.approx(-1 / 5)


@given(
    st.integers(2, 6).flatmap(
        lambda raters: st.lists(
            st.lists(st.integers(0, 3), min_size=raters, max_size=raters), min_size=1, max_size=30
        )
    )
)
def test_fleiss_equals_statsmodels(items):
    ours = fleiss(Ratings.of(items))
    if ours is Undefined.ONE_CATEGORY:
        assert len({rating for item in items for rating in item}) == 1
        return
    table = np.array([[item.count(category) for category in range(4)] for item in items])
    assert ours == pytest.approx(fleiss_kappa(table), abs=1e-9)


def test_observed_agreement_is_the_diagonals_share():
    tables = np.array([[[3.0, 1.0], [0.0, 4.0]], [[0.0, 2.0], [2.0, 0.0]]])
    assert observed_statistic(tables).tolist() == [7 / 8, 0]
