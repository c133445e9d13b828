"""Scores that a killed run wrote are kept, checked, and never doubled."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from tests.tiny_models import make_tiny_qwen
from tests.trainer.conftest import sums
from trainer import checkpoints
from trainer.cli import main
from trainer.encoding import EncoderSpec, write_spec
from trainer.records import write_jsonl

Score = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def prm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = make_tiny_qwen(tmp_path_factory.mktemp("base"))
    write_spec(base, EncoderSpec(template="plain", max_length=200))
    folder = tmp_path_factory.mktemp("prm")
    checkpoints.save(*checkpoints.start(base), folder)
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_jsonl(tmp_path / "data.jsonl", sums(12, seed=3))
    return tmp_path / "data.jsonl"


@pytest.fixture
def score(prm: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> Score:
    def run(out: Path, *words: str, model: Path = prm) -> dict[str, Any]:
        code = main(["score", "--model", str(model), "--data", str(data), "--out", str(out),
                     "--device", "cpu", "--json", *words])  # fmt: skip
        shown = capsys.readouterr()
        return json.loads(shown.out) if code == 0 else {"error": shown.err}

    return run


def beside(out: Path) -> Path:
    return out.with_name(f"{out.name}.of.json")


@pytest.mark.parametrize("torn", ["", '{"id": "train-4", "sco'])
def test_whole_lines_are_kept_and_the_rest_is_appended(
    score: Score, tmp_path: Path, torn: str
) -> None:
    whole, cut = tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    counts = score(whole)
    lines = whole.read_text().splitlines(keepends=True)
    cut.write_text("".join(lines[:4]) + torn)
    beside(whole).rename(beside(cut))
    again = score(cut, "--resume")
    assert again == {**counts, "kept": 4}
    assert [json.loads(x)["id"] for x in cut.read_text().splitlines()] == [
        json.loads(x)["id"] for x in lines
    ]
    assert cut.read_text().splitlines(keepends=True)[:4] == lines[:4]
    written = cut.read_text().splitlines()
    for mine, other in zip(map(json.loads, written), map(json.loads, lines), strict=True):
        assert mine["scores"] == pytest.approx(other["scores"], abs=1e-5)


def test_a_finished_file_stays_as_it_is_and_a_missing_one_is_begun(
    score: Score, tmp_path: Path
) -> None:
    out = tmp_path / "scores.jsonl"
    assert score(out, "--resume")["kept"] == 0
    before = out.read_bytes()
    assert score(out, "--resume")["kept"] == 12
    assert out.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda rows: [rows[1], rows[0]], ":1: not the scores of solution 'train-0'"),
        (lambda rows: [rows[0], rows[0]], ":2: not the scores of solution 'train-1'"),
        (lambda rows: [{**rows[0], "scores": [0.5]}], ":1: not the scores of solution"),
        (lambda rows: [{**rows[0], "scores": None}], ":1: not the scores of solution"),
        (lambda rows: [{"id": "train-0"}], ":1: no line of scores: KeyError('scores')"),
        (lambda rows: [[1]], ":1: no line of scores"),
        (lambda rows: [*rows, rows[0]], "has 13 lines, the data 12 solutions"),
    ],
)
def test_lines_of_other_data_are_refused_and_left_alone(
    score: Score, tmp_path: Path, change: Callable[[list[Any]], list[Any]], reason: str
) -> None:
    out = tmp_path / "scores.jsonl"
    score(out)
    rows = change([json.loads(line) for line in out.read_text().splitlines()])
    out.write_text("".join(json.dumps(row) + "\n" for row in rows))
    before = out.read_bytes()
    assert reason in score(out, "--resume")["error"]
    assert out.read_bytes() == before


@pytest.mark.parametrize("change", [{"prompt": "Another problem."}, {"steps": ["Other words."]}])
def test_scores_of_changed_texts_are_refused_and_left_alone(
    score: Score, data: Path, tmp_path: Path, change: dict[str, Any]
) -> None:
    out = tmp_path / "scores.jsonl"
    rows = [json.loads(line) for line in data.read_text().splitlines()]
    rows[0]["steps"] = rows[0]["steps"][:1]  # as many as after the change
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    score(out)
    out.write_text(out.read_text() + '{"id": "tor')
    before = out.read_bytes()
    rows[0] |= change
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert "holds scores of before solutions changed" in score(out, "--resume")["error"]
    assert out.read_bytes() == before
    assert score(out)["kept"] == 0
    assert score(out, "--resume")["kept"] == 12


def test_scores_of_a_model_with_other_weights_are_refused_and_of_a_moved_one_kept(
    score: Score, prm: Path, tmp_path: Path
) -> None:
    out, moved, other = (tmp_path / name for name in ("scores.jsonl", "moved", "other"))
    score(out)
    shutil.copytree(prm, moved)
    assert score(out, "--resume", model=moved)["kept"] == 12
    shutil.copytree(prm, other)
    weights = load_file(other / "model.safetensors")
    weights["score.2.bias"] += 1e-4  # too little for one score to tell
    save_file(weights, other / "model.safetensors", metadata={"format": "pt"})
    assert "of before model changed" in score(out, "--resume", model=other)["error"]


def test_scores_of_nobody_knows_what_are_refused(score: Score, tmp_path: Path) -> None:
    out = tmp_path / "scores.jsonl"
    score(out)
    beside(out).unlink()
    assert "scores.jsonl.of.json is missing" in score(out, "--resume")["error"]


def test_what_is_no_file_is_written_to_as_it_is(score: Score) -> None:
    assert score(Path(os.devnull))["solutions"] == 12
    assert not beside(Path(os.devnull)).exists()


def test_scores_of_another_model_are_refused(score: Score, tmp_path: Path) -> None:
    out = tmp_path / "scores.jsonl"
    score(out)
    rows = [json.loads(line) for line in out.read_text().splitlines()][:3]
    rows[-1]["scores"] = [(value + 0.5) % 1 for value in rows[-1]["scores"]]
    out.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert "line 3 holds scores of another model" in score(out, "--resume")["error"]


def test_what_is_printed_cannot_be_resumed(
    prm: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", "--model", str(prm), "--data", str(data), "--resume"]) == 2
    assert "--resume needs --out" in capsys.readouterr().err


def test_a_run_killed_with_signal_9_is_gone_on_with(
    score: Score, prm: Path, data: Path, tmp_path: Path
) -> None:
    out, many = tmp_path / "scores.jsonl", tmp_path / "many.jsonl"
    write_jsonl(many, sums(4000, seed=3))
    command = [sys.executable, "-m", "trainer", "score", "--model", str(prm), "--data", str(many)]
    command += ["--out", str(out), "--device", "cpu"]
    process = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"})
    while not (out.is_file() and out.stat().st_size):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    written = out.read_text()
    done = written.count("\n")
    assert 0 < done < 4000
    shown = subprocess.run([*command, "--resume", "--json"], capture_output=True, check=True)
    assert json.loads(shown.stdout)["kept"] == done
    assert out.read_text().startswith(written[: written.rindex("\n") + 1])
    names = [json.loads(line)["id"] for line in out.read_text().splitlines()]
    assert names == [f"train-{index}" for index in range(4000)]
