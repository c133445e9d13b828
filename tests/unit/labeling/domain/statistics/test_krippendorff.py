"""α against Krippendorff's own example and the krippendorff package."""

from __future__ import annotations

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.statistics.confusion import Confusion, StepConfusion
from labeling.domain.statistics.kappa import fleiss
from labeling.domain.statistics.krippendorff import Metric, alpha
from labeling.domain.statistics.ratings import Ratings
from labeling.domain.statistics.undefined import Undefined

_ = None
# K. Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", part C: observers by units
EXAMPLE = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
    [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
]

items = st.lists(
    st.lists(st.integers(-1, 4) | st.none(), min_size=4, max_size=4), min_size=1, max_size=25
)


@pytest.mark.parametrize(
    ("metric", "published"),
    [(Metric.NOMINAL, 0.743), (Metric.ORDINAL, 0.815), (Metric.INTERVAL, 0.849)],
)
def test_alpha_of_the_published_example(metric, published):
    ratings = Ratings.of(zip(*EXAMPLE, strict=True))
    assert ratings.unpaired_items == 1  # the last unit
    assert alpha(ratings, metric) == pytest.approx(published, abs=5e-4)


def test_nominal_alpha_by_hand():
    # pairs 00, 01, 11, 11: n = 8 ratings, 3 zeros, 5 ones; D_o = 2/8; D_e = 2*15/(8*7) = 15/28
    table = Confusion({(0, 0): 1, (0, 1): 1, (1, 1): 2})
    assert alpha(table) == pytest.approx(1 - (1 / 4) / (15 / 28))
    assert alpha(table) == alpha(Ratings.of([(0, 0), (1, 0), (1, 1), (1, 1)]))


def test_alpha_says_why_it_is_undefined():
    assert alpha(Ratings({(1,): 5})) is Undefined.NOTHING_COMPARED
    assert alpha(Ratings({(1, 1): 5})) is Undefined.ONE_CATEGORY
    assert alpha(Confusion({}), Metric.ORDINAL) is Undefined.NOTHING_COMPARED


def test_alpha_of_steps_is_that_of_their_table():
    steps = StepConfusion({((-1, 1, 1), (1, 1, 2)): 3, ((-1, -1, 1), (1, 1, 1)): 2})
    assert alpha(steps, Metric.ORDINAL) == pytest.approx(alpha(steps.table(), Metric.ORDINAL))


@given(items, st.sampled_from(Metric))
def test_alpha_equals_the_krippendorff_package(rated, metric):
    ratings = Ratings.of(rated)
    ours = alpha(ratings, metric)
    if isinstance(ours, Undefined):
        assert len(ratings.categories) < 2
        return
    data = np.array([[np.nan if r is None else r for r in item] for item in rated], float).T
    theirs = krippendorff.alpha(reliability_data=data, level_of_measurement=str(metric))
    assert ours == pytest.approx(theirs, abs=1e-9)


@given(st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=1, max_size=30))
def test_nominal_alpha_is_fleiss_kappa_for_small_samples(items):
    # α = κ + (1 - κ) / n over n ratings: D_e divides by n (n - 1) instead of n²
    ratings = Ratings.of(items)
    kappa = fleiss(ratings)
    if not isinstance(kappa, Undefined):
        assert alpha(ratings) == pytest.approx(kappa + (1 - kappa) / (3 * len(items)))
