from __future__ import annotations

import itertools
import random

import pytest

from trainer.best_of_n import (
    Candidate,
    best_of_k,
    best_of_n,
    majority,
    pass_at_1,
    pass_at_k,
    pass_at_n,
    summarize,
    weighted_vote,
)
from trainer.biases import minimum_at_last_step

A = Candidate("1", True, (0.9, 0.4))  # product .36, min .4, last .4, mean .65
B = Candidate("2", False, (0.5, 0.6))  # product .30, min .5, last .6, mean .55
C = Candidate("2", False, (0.6, 0.2))  # product .12


def test_each_aggregation_picks_its_own_best() -> None:
    picks = {how: best_of_n([[A, B]], how) for how in ("product", "min", "last", "mean")}
    assert picks == {"product": 1.0, "min": 0.0, "last": 0.0, "mean": 1.0}


def test_votes_count_heads_and_weighted_votes_count_scores() -> None:
    assert majority([[A, B, C]]) == 0.0
    assert majority([[A, B]]) == 1.0  # a tie: the first seen
    assert weighted_vote([[A, B, C]]) == 0.0  # .36 against .30 + .12
    assert weighted_vote([[A, C]]) == 1.0


def test_pass_rates_are_the_mean_and_the_ceiling() -> None:
    assert pass_at_1([[A, B, C], [A]]) == pytest.approx((1 / 3 + 1) / 2)
    assert pass_at_n([[A, B, C], [B]]) == 0.5


def test_a_candidate_without_scores_loses_and_one_without_an_answer_has_no_vote() -> None:
    silent, unscored = Candidate("", True, (0.9,)), Candidate("3", True, ())
    assert best_of_n([[unscored, B]]) == 0.0  # though the product of no scores is 1
    assert majority([[silent, silent, B]]) == 0.0
    assert majority([[silent]]) == 0.0
    assert weighted_vote([[unscored, B]]) == 0.0


def test_the_curve_is_the_mean_over_every_choice_of_k() -> None:
    draw = random.Random(5)
    group = [Candidate("", draw.random() < 0.4, (draw.random(),)) for _ in range(6)]
    for k in range(1, 7):
        chosen = [list(some) for some in itertools.combinations(group, k)]
        assert best_of_k([group], k) == pytest.approx(best_of_n(chosen))
        assert pass_at_k([group], k) == pytest.approx(pass_at_n(chosen))
    summary = summarize([group, group[:5]])
    assert (summary.n, summary.curve.k) == (5, (1, 2, 4, 5))
    assert summary.majority is None  # nobody has an answer
    assert summary.curve.pass_at[0] == pytest.approx(pass_at_1([group, group[:5]]))


def test_a_minimum_shared_with_an_earlier_step_is_not_at_the_last() -> None:
    assert minimum_at_last_step([(0.9, 0.1), (0.1, 0.9), (0.1, 0.1), (0.3,)]) == 0.5
