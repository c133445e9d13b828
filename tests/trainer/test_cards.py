from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.trainer.conftest import sums
from trainer.cards import add_evaluation
from trainer.cli import main
from trainer.config import TrainConfig
from trainer.records import write_jsonl
from trainer.training import train


def test_the_card_names_data_recipe_and_use(data: Path, config: Callable[..., TrainConfig]) -> None:
    result = train(config(iterations=2))
    card = (result.model / "README.md").read_text()
    assert hashlib.sha256(data.read_bytes()).hexdigest() in card
    for fact in ("Qwen2ForProcessRewardModel", "objective | hard", "rate 0.001", "| seed | 0 |"):
        assert fact in card
    for fact in ("neutral label, ", "warmup 0.05, weight_decay 0.01, max_grad_norm 1.0", "2048 |"):
        assert fact in card  # what else decides the weights
    assert "vllm serve DIR --runner pooling" in card
    assert str(data.parent) not in card  # paths of this machine stay here


def test_an_evaluation_after_training_stands_in_the_card(
    data: Path, backbone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held_out = tmp_path / "held_out.jsonl"
    write_jsonl(held_out, sums(30, seed=2, split="test"))
    words = ["train", "--data", data, "--backbone", backbone, "--out", tmp_path / "run"]
    words += ["--iterations", 2, "--device", "cpu", "--evaluate", held_out, "--json"]
    assert main([str(word) for word in words]) == 0
    report = json.loads(capsys.readouterr().out)["evaluation"]
    card = (tmp_path / "run" / "model" / "README.md").read_text()
    split = report["splits"]["test"]
    assert f"| test | {split['erroneous']} | {split['correct']} |" in card
    assert f"{100 * report['mean_f1']:.1f} %" in card
    assert hashlib.sha256(held_out.read_bytes()).hexdigest() in card
    assert report["calibration"]["steps"] > 30


def test_a_later_evaluation_takes_the_place_of_the_earlier(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# PRM\n")
    data = tmp_path / "x.jsonl"
    data.write_text("{}")
    split = {"erroneous": 1, "correct": 0, "error_accuracy": 1.0, "correct_accuracy": None}
    report = {"threshold": 0.5, "splits": {"x": {**split, "f1": None}}, "mean_f1": None}
    for _ in range(2):
        add_evaluation(tmp_path, report, [data])
    card = (tmp_path / "README.md").read_text()
    assert card.startswith("# PRM\n")
    assert card.count("## Evaluation") == 1
    assert "| x | 1 | 0 | 100.0 % | undefined | undefined |" in card
