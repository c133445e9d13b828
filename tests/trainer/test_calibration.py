from __future__ import annotations

import random

import pytest

from trainer.calibration import calibrate, labeled_steps
from trainer.evaluation import Prediction


def solution(label: int, *scores: float) -> Prediction:
    return Prediction("x", "s", label, None, scores)


def test_steps_behind_the_first_error_have_no_truth() -> None:
    assert list(labeled_steps(solution(1, 0.9, 0.2, 0.8))) == [(0.9, True), (0.2, False)]
    assert list(labeled_steps(solution(-1, 0.9, 0.2))) == [(0.9, True), (0.2, True)]
    assert list(labeled_steps(solution(2))) == []


def test_the_error_is_the_mean_gap_of_the_bins_weighted_by_steps() -> None:
    # [.8, .9): scores .8 and .84, one right: mean .82, share .5, gap .32. [.2, .3): .25 wrong, gap
    # .25. [.9, 1]: 1.0 right, gap 0. ECE = (2 * .32 + .25 + 0) / 4 = .2225.
    # Brier = (.2^2 + .84^2 + .25^2 + 0) / 4 = (.04 + .7056 + .0625) / 4 = .202025.
    rows = [solution(1, 0.8, 0.84), solution(0, 0.25), solution(-1, 1.0)]
    result = calibrate(rows)
    assert result.steps == 4
    assert result.ece == pytest.approx(0.2225)
    assert result.brier == pytest.approx(0.202025)
    filled = [(b.low, b.steps, b.score, b.right) for b in result.bins if b.steps]
    assert [row[:2] for row in filled] == [(0.2, 1), (0.8, 2), (0.9, 1)]
    assert filled[1][2:] == (pytest.approx(0.82), 0.5)


def test_doubt_is_an_error_as_large_as_trust() -> None:
    # One bin, .6 and right: the gap is .4 whichever way it points.
    assert calibrate([solution(-1, 0.6)]).ece == pytest.approx(0.4)
    # And the gaps of two bins do not cancel: (.4 + .7) / 2.
    assert calibrate([solution(-1, 0.6), solution(0, 0.7)]).ece == pytest.approx(0.55)


def test_scores_that_are_true_probabilities_have_no_error() -> None:
    draw = random.Random(0)
    rows = []
    for _ in range(20_000):
        score = draw.random()
        rows.append(solution(-1 if draw.random() < score else 0, score))
    result = calibrate(rows)
    # Per bin 2,000 steps: the standard error of a share is at most .011, the mean gap about .008.
    assert result.ece is not None
    assert result.ece < 0.02
    assert sum(b.steps for b in result.bins) == 20_000


def test_without_scores_there_is_nothing_to_calibrate() -> None:
    result = calibrate([solution(0)])
    assert (result.steps, result.ece, result.brier) == (0, None, None)
