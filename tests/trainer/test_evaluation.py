from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.trainer.conftest import sums
from trainer.evaluation import (
    EvaluationError,
    Prediction,
    evaluate,
    first_error,
    harmonic_mean,
    paired_bootstrap,
    predict,
    read_predictions,
    rethreshold,
    tune_threshold,
    write_predictions,
)
from trainer.records import Record
from trainer.scorers import Unscored


def item(number: int, label: int, prediction: int, split: str = "s") -> Prediction:
    return Prediction(f"{split}{number}", split, label, prediction, ())


def scored(number: int, label: int, *scores: float) -> Prediction:
    return Prediction(str(number), "s", label, first_error(scores), scores)


def test_the_first_step_below_the_threshold_is_the_error() -> None:
    assert first_error([0.9, 0.5, 0.49, 0.1]) == 2  # 0.5 itself is no error
    assert first_error([0.9, 0.5]) == -1
    assert first_error([0.9, 0.5], threshold=0.6) == 1
    assert first_error([]) == -1


def test_f1_is_the_harmonic_mean_of_exact_hits_in_both_classes() -> None:
    # Erroneous: 1 of 4 exact (a near miss and a -1 are misses). Right: 2 of 3.
    # F1 = 2 * 1/4 * 2/3 / (1/4 + 2/3) = (1/3) / (11/12) = 4/11.
    rows = [item(0, 2, 2), item(1, 2, 1), item(2, 0, -1), item(3, 1, 3)]
    rows += [item(4, -1, -1), item(5, -1, -1), item(6, -1, 0)]
    result = evaluate(rows).splits["s"]
    assert (result.erroneous, result.correct) == (4, 3)
    assert result.error_accuracy == pytest.approx(1 / 4)
    assert result.correct_accuracy == pytest.approx(2 / 3)
    assert result.f1 == pytest.approx(4 / 11)


def test_the_mean_over_splits_does_not_weigh_their_sizes() -> None:
    # Split a: 1/1 and 1/1, F1 1. Split b: 0 of 3 erroneous hit, F1 0. Mean 1/2, weighted 2/6.
    rows = [item(0, 1, 1, "a"), item(1, -1, -1, "a")]
    rows += [item(i, 1, -1, "b") for i in range(3)] + [item(3, -1, -1, "b")]
    assert evaluate(rows).mean_f1 == pytest.approx(0.5)


def test_f1_is_zero_where_both_accuracies_are_zero() -> None:
    assert harmonic_mean(0.0, 0.0) == 0.0
    assert evaluate([item(0, 1, 0), item(1, -1, 0)]).mean_f1 == 0.0


def test_an_empty_class_leaves_f1_undefined_and_says_why() -> None:
    report = evaluate([item(0, -1, -1)])
    assert report.splits["s"].f1 is None
    assert report.splits["s"].reason == "no erroneous solutions"
    assert report.mean_f1 is None
    assert report.reason == "no F1 for s"
    assert evaluate([item(0, 1, 1)]).splits["s"].reason == "no correct solutions"
    assert evaluate([]).reason == "no solutions"


def test_the_published_scores_of_table_4_have_the_published_f1() -> None:
    # RECIPE 1.4, Qwen2.5-Math-PRM-7B: accuracies 72.0/96.4, 68.0/90.4, 55.7/85.5, 55.2/83.0.
    pairs = [(0.720, 0.964), (0.680, 0.904), (0.557, 0.855), (0.552, 0.830)]
    assert [round(100 * harmonic_mean(a, b), 1) for a, b in pairs] == [82.4, 77.6, 67.5, 66.3]


def test_tuning_finds_the_threshold_that_separates() -> None:
    rows = [scored(0, 1, 0.9, 0.62), scored(1, -1, 0.9, 0.72), scored(2, 0, 0.6, 0.1)]
    assert evaluate(rows).mean_f1 == 0.0  # at 0.5: -1 and 1 for the errors at 1 and 0
    tuned = tune_threshold(rows)
    assert tuned.threshold == pytest.approx(0.65)  # the lowest of 0.65 and 0.70
    assert tuned.mean_f1 == 1.0
    assert [p.prediction for p in rethreshold(rows, 0.65)] == [1, -1, 0]


def test_the_bootstrap_of_a_model_against_itself_is_exactly_zero() -> None:
    rows = [item(i, i % 3 - 1, (i * 7) % 3 - 1) for i in range(60)]
    result = paired_bootstrap(rows, rows, seed=1, draws=500)
    assert (result.difference, result.low, result.high) == (0.0, 0.0, 0.0)
    assert result.share_not_better == 1.0


def test_the_bootstrap_interval_has_the_width_that_theory_gives() -> None:
    # Both right on all correct items; a hits 120 and b 80 of the same 200 erroneous ones, disjoint
    # from each other. F1(a) = 2*.6/1.6 = .75, F1(b) = 2*.4/1.4 = .5714. Delta method with
    # dF/dacc = 2/(1+acc)^2: ga = .78125, gb = 1.0204; var = [ga^2*.24 + gb^2*.24 + 2*ga*gb*.24]
    # / 200 (covariance -.24) = .24*(ga+gb)^2/200 = .003895; sd .0624; interval +-.1223.
    a = [item(i, 1, 1 if i < 120 else 0) for i in range(200)]
    b = [item(i, 1, 1 if i >= 120 else 0) for i in range(200)]
    right = [item(i, -1, -1) for i in range(200, 300)]
    result = paired_bootstrap(a + right, b + right, seed=0, draws=20_000)
    assert result.difference == pytest.approx(0.75 - 4 / 7)
    assert result.high - result.low == pytest.approx(2 * 0.1223, rel=0.05)
    assert result == paired_bootstrap(a + right, b + right, seed=0, draws=20_000)


def test_predictions_about_other_solutions_are_not_compared() -> None:
    with pytest.raises(EvaluationError, match="same solutions"):
        paired_bootstrap([item(0, 1, 1)], [item(1, 1, 1)])
    with pytest.raises(EvaluationError, match="no F1 for s"):
        paired_bootstrap([item(0, 1, 1)], [item(0, 1, 1)])


def test_predictions_are_saved_per_solution(tmp_path: Path) -> None:
    rows = [scored(0, 1, 0.9, 0.1), scored(1, -1, 0.123456789)]
    write_predictions(tmp_path / "p.jsonl", rows)
    assert read_predictions(tmp_path / "p.jsonl") == rows
    (tmp_path / "p.jsonl").write_text("{}\n")
    with pytest.raises(EvaluationError, match=r"p\.jsonl:1: no prediction"):
        read_predictions(tmp_path / "p.jsonl")


def test_predictions_carry_label_split_and_scores_of_their_record() -> None:
    records = sums(5, split="gsm8k")
    rows = predict(records, [[0.1] * len(r.steps) for r in records])
    assert [(p.id, p.split, p.label) for p in rows] == [
        (r.id, "gsm8k", r.first_error) for r in records
    ]
    assert all(p.prediction == 0 and set(p.scores) == {0.1} for p in rows)
    with pytest.raises(EvaluationError, match="'x' has no first_error"):
        predict([Record("x", "p", "x", ("s",), (1,))], [[0.1]])


def test_a_solution_without_a_prediction_is_wrong_whatever_its_label() -> None:
    # ProcessBench: an answer that cannot be read is None, which equals no label, not even -1.
    records = [r for r in sums(20) if r.first_error == -1][:2] + [
        r for r in sums(20) if r.first_error != -1
    ][:1]
    none = Unscored("3 of 3 steps lie behind the model's 8 tokens")
    rows = predict(records, [none, [0.9] * len(records[1].steps), none])
    result = evaluate(rows).splits["train"]
    assert (result.correct_accuracy, result.error_accuracy) == (0.5, 0.0)
    assert (rows[0].prediction, rows[0].scores, rows[0].reason) == (None, (), none.reason)
    assert rethreshold(rows, 0.95)[0].prediction is None
    assert rethreshold(rows, 0.95)[1].prediction == 0


def test_a_threshold_tuned_on_one_split_is_used_on_all() -> None:
    rows = [
        replace(scored(0, 1, 0.9, 0.62), split="gsm8k"),
        replace(scored(1, -1, 0.9, 0.72), split="gsm8k"),
        replace(scored(2, 0, 0.1), split="math"),
        replace(scored(3, -1, 0.6), split="math"),  # wrong at gsm8k's best threshold
    ]
    tuned = tune_threshold(rows, on="gsm8k")
    assert tuned.threshold == pytest.approx(0.65)
    assert [tuned.splits[name].f1 for name in ("gsm8k", "math")] == [1.0, 0.0]
    with pytest.raises(EvaluationError, match="no split 'omni'"):
        tune_threshold(rows, on="omni")
