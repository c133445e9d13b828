from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest

from trainer.best_of_n import (
    Candidate,
    best_of_n,
    majority,
    minimum_at_last_step,
    pass_at_1,
    pass_at_n,
    weighted_vote,
)

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


def test_a_minimum_shared_with_an_earlier_step_is_not_at_the_last() -> None:
    assert minimum_at_last_step([(0.9, 0.1), (0.1, 0.9), (0.1, 0.1), (0.3,)]) == 0.5


def test_the_published_prms_reach_the_independently_computed_accuracies(shared_data: Path) -> None:
    expected = json.loads((shared_data / "reference_metrics.json").read_text())["bon_gsm8k_dev"]
    scores: dict[str, dict[str, tuple[float, ...]]] = defaultdict(dict)
    file = shared_data / "prm_scores" / "gsm8k_qwen25_7b_bon32_step_scores.jsonl"
    for line in file.read_text(encoding="utf-8").strip().split("\n"):
        row = json.loads(line)
        scores[row["prm"]][row["solution_id"]] = tuple(row["step_scores"])
    source = shared_data / "solutions" / "gsm8k_qwen25_7b_bon32.jsonl"
    solutions = [
        json.loads(line) for line in source.read_text(encoding="utf-8").strip().split("\n")
    ]
    checked = 0
    for prm, table in scores.items():
        problems: dict[str, list[Candidate]] = defaultdict(list)
        for row in solutions:
            steps = table[row["solution_id"]]
            problems[row["problem_id"]].append(Candidate("", row["final_answer_correct"], steps))
        groups = list(problems.values())
        assert pass_at_1(groups) == pytest.approx(expected["mean_accuracy(pass@1)"])
        assert pass_at_n(groups) == expected["pass@32"]
        for how, name in [("product", "prod"), ("min", "min"), ("last", "last"), ("mean", "mean")]:
            key = f"BoN32 {prm} {name} (ties: lowest index)"
            assert best_of_n(groups, how) == pytest.approx(expected[key]), key
            checked += 1
    assert checked == 16
