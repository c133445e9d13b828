"""Real scores and real labels, against independently computed figures."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from trainer import candidates, evaluation
from trainer.best_of_n import majority, weighted_vote
from trainer.cli import main
from trainer.first_errors import read_benchmark
from trainer.scorers import Scored, Unscored

NAMES = {"product": "prod", "min": "min", "last": "last", "mean": "mean"}


@pytest.fixture(scope="module")
def solutions(shared_data: Path) -> Path:
    return shared_data / "solutions" / "gsm8k_qwen25_7b_bon32.jsonl"


@pytest.fixture(scope="module")
def scores(shared_data: Path) -> Path:
    return shared_data / "prm_scores" / "gsm8k_qwen25_7b_bon32_step_scores.jsonl"


def test_best_of_32_of_four_published_prms_is_exactly_the_oracles(
    shared_data: Path, solutions: Path, scores: Path, capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:  # fmt: skip
    expected = json.loads((shared_data / "reference_metrics.json").read_text())["bon_gsm8k_dev"]
    words = ["--data", str(solutions), "--scores", str(scores), "--plots", str(tmp_path)]
    assert main(["best-of-n", *words, "--json"]) == 0
    prms: dict[str, dict[str, Any]] = json.loads(capsys.readouterr().out)["prms"]
    assert len(prms) == 4
    for prm, report in prms.items():
        assert report["problems"] == expected["problems"]
        assert report["candidates"] == expected["solutions"]
        assert report["pass_at_1"] == expected["mean_accuracy(pass@1)"]
        assert report["pass_at_n"] == expected["pass@32"]
        found = {
            f"BoN32 {prm} {name} (ties: lowest index)": report["best_of_n"][how]
            for how, name in NAMES.items()
        }
        assert found == {key: expected[key] for key in found}  # exact, not approximately
        for how in NAMES:
            assert report["curve"]["best_of"][how][-1] == pytest.approx(report["best_of_n"][how])
    assert len(list(tmp_path.glob("best_of_n-*.svg"))) == 4


def test_votes_over_real_answers_are_those_of_a_plain_count(solutions: Path, scores: Path) -> None:
    rows = [json.loads(line) for line in solutions.read_text().strip().split("\n")]
    samples = candidates.read_samples(solutions)
    table = candidates.read_scores(scores)["Qwen/Qwen2.5-Math-PRM-7B"]
    groups = candidates.group(samples, table)
    problems: dict[str, dict[str, list[tuple[float, bool]]]] = {}
    for row, sample in zip(rows, samples, strict=True):
        answers = problems.setdefault(row["problem_id"], {})
        if sample.answer:
            lowest = min(table[row["id"]])
            answers.setdefault(sample.answer, []).append((lowest, row["final_answer_correct"]))
    heads = weights = 0
    for answers in problems.values():
        if answers:
            heads += max(answers.values(), key=len)[0][1]
            weights += max(answers.values(), key=lambda votes: sum(v for v, _ in votes))[0][1]
    assert 0 < heads < len(problems)
    assert majority(groups) == heads / len(problems)
    assert weighted_vote(groups, "min") == weights / len(problems)


def test_boxes_are_read_with_their_braces() -> None:
    assert candidates.last_boxed(r"so \boxed{1} and \boxed{\frac{1}{2}}.") == r"\frac{1}{2}"
    assert candidates.last_boxed(r"\boxed{7} then \boxed{cut") == "7"
    assert candidates.last_boxed("none") == ""


def test_first_errors_of_real_solutions_are_counted_as_processbench_counts(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Scores are made up by the ids; what is counted is ProcessBench's run_eval.py, anew."""
    paths = sorted((shared_data / "processbench_like").glob("processbench_*.jsonl"))
    assert len(paths) == 4
    records = read_benchmark(paths).records
    draws = [random.Random(record.id) for record in records]
    scored: list[Scored] = [
        Unscored("too long") if draw.random() < 0.05 else [draw.random() ** 0.3 for _ in r.steps]
        for r, draw in zip(records, draws, strict=True)
    ]
    matches: dict[str, tuple[list[bool], list[bool]]] = {}
    for record, scores in zip(records, scored, strict=True):
        low = [] if isinstance(scores, Unscored) else [i for i, s in enumerate(scores) if s < 0.5]
        found = None if isinstance(scores, Unscored) else (low[0] if low else -1)
        pair = matches.setdefault(record.split, ([], []))
        pair[record.first_error == -1].append(found == record.first_error)
    f1s = []
    for wrong, right in matches.values():
        acc1, acc2 = sum(wrong) / len(wrong), sum(right) / len(right)
        f1s.append(2 * acc1 * acc2 / (acc1 + acc2))
    predictions = evaluation.predict(records, scored)
    report = evaluation.evaluate(predictions)
    assert report.mean_f1 == pytest.approx(sum(f1s) / 4, abs=1e-15)
    assert 0.05 < report.mean_f1 < 0.95
    assert sum(s.erroneous + s.correct for s in report.splits.values()) == len(records)
    saved = tmp_path / "p.jsonl"
    evaluation.write_predictions(saved, predictions)
    assert main(["compare", str(saved), str(saved), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["difference"] == 0
