"""Disagreements sampled in full stand for those known only as such."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.statistics.bootstrap import Resampling, bootstrap
from labeling.domain.statistics.confusion import Confusion
from labeling.domain.statistics.intervals import Proportion
from labeling.domain.statistics.kappa import cohen, cohen_statistic
from labeling.domain.statistics.measures import Measured, first_error_agreement
from labeling.domain.statistics.refuted import standing_for_refuted, units_with_refuted
from labeling.domain.statistics.tables import evaluate
from labeling.domain.statistics.undefined import Undefined

HOW = Resampling(seed=1, resamples=300)
SAMPLED = Confusion({(-1, -1): 50, (2, 2): 30, (1, 2): 3, (2, -1): 1})


def estimated(table: Confusion, refuted: int):
    statistic = standing_for_refuted(cohen_statistic(table.categories))
    return evaluate(statistic, units_with_refuted(table, refuted).table())


def test_disagreements_are_scaled_to_what_they_stand_for():
    # 4 disagreements stand for 4 + 76 = 80: each for 20
    whole = Confusion({(-1, -1): 50, (2, 2): 30, (1, 2): 60, (2, -1): 20})
    assert estimated(SAMPLED, 76) == pytest.approx(cohen(whole))
    assert estimated(SAMPLED, 76) < cohen(SAMPLED) - 0.4


@given(
    st.dictionaries(st.tuples(st.integers(-1, 3), st.integers(-1, 3)), st.integers(1, 30)),
)
def test_without_refuted_solutions_nothing_changes(cells):
    table = Confusion(cells)
    ours, plain = estimated(table, 0), cohen(table)
    assert ours is plain if isinstance(plain, Undefined) else ours == pytest.approx(plain)


def test_every_number_of_two_labelers_takes_them_in():
    found = first_error_agreement(SAMPLED, HOW, refuted=76)
    assert found.exact == Proportion(80, 160)
    # within one: 80 + 60 of 160
    assert found.within_one.value == pytest.approx(140 / 160)
    # has an error: (no, no) 50, (yes, no) 20, (yes, yes) 90
    # po = 140/160, pe = (50 * 70 + 110 * 90) / 160²
    expected = (3500 + 9900) / 25600
    assert found.kappa_error.value == pytest.approx((140 / 160 - expected) / (1 - expected))
    assert found.distances.total == 84


def test_the_interval_knows_how_few_were_sampled():
    few = first_error_agreement(SAMPLED, HOW, refuted=76).within_one.interval
    many = first_error_agreement(
        Confusion({(-1, -1): 50, (2, 2): 30, (1, 2): 60, (2, -1): 20}), HOW
    ).within_one.interval
    assert few.width > 1.5 * many.width


def test_where_no_refuted_solution_was_sampled_nothing_is_known():
    found = first_error_agreement(Confusion({(-1, -1): 9, (1, 1): 5}), HOW, refuted=7)
    assert found.kappa == Measured.without(Undefined.REFUTED_UNSEEN)
    assert found.exact == Proportion(14, 21)


def test_the_estimate_is_unbiased_over_audit_samples():
    # 1000 solutions, 300 disagreements of which 30 in 300 are sampled in full
    generator = np.random.default_rng(3)
    agreed = {(-1, -1): 500, (2, 2): 200}
    apart = [(1, 2)] * 90 + [(-1, 2)] * 150 + [(2, -1)] * 60
    truth = cohen(Confusion(agreed | {(1, 2): 90, (-1, 2): 150, (2, -1): 60}))
    values = []
    for _ in range(400):
        seen = generator.choice(len(apart), 30, replace=False)
        sampled = Confusion.of(apart[i] for i in seen)
        values.append(estimated(Confusion(agreed | dict(sampled.cells)), 270))
    assert np.mean(values) == pytest.approx(truth, abs=0.003)


def test_resamples_without_a_sampled_disagreement_have_no_value():
    table = Confusion({(-1, -1): 50, (2, 2): 30, (1, 2): 1})
    statistic = standing_for_refuted(cohen_statistic(table.categories))
    ends = bootstrap(units_with_refuted(table, 40), [statistic], HOW)
    # 1/e of them
    assert ends == [Undefined.RARELY_DEFINED]
