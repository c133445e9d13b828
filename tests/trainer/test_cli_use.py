"""The commands that use a PRM, in memory and behind a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.pooling_server import pooling_server
from tests.tiny_models import make_tiny_qwen
from tests.trainer.conftest import sums
from trainer import checkpoints
from trainer.cli import main
from trainer.encoding import EncoderSpec, write_spec
from trainer.records import write_jsonl


@pytest.fixture(scope="module")
def prm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = make_tiny_qwen(tmp_path_factory.mktemp("base"))
    write_spec(base, EncoderSpec(template="plain", max_length=200))
    folder = tmp_path_factory.mktemp("prm")
    checkpoints.save(*checkpoints.start(base), folder)
    return folder


@pytest.fixture
def records(tmp_path: Path) -> Path:
    write_jsonl(tmp_path / "test.jsonl", sums(30, seed=2, split="test"))
    return tmp_path / "test.jsonl"


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    """Three problems of four candidates; one candidate is longer than the model's context."""
    rows: list[dict[str, Any]] = [
        {
            "id": f"{problem}-{place}", "problem_id": str(problem), "problem": f"{problem} + 1?",
            "steps": [f"{problem} + {place} =", f"\\boxed{{{problem + place}}}"],
            "final_answer_correct": place == 1,
        }
        for problem in range(3) for place in range(4)
    ]  # fmt: skip
    rows[5]["steps"] = ["x" * 300]
    path = tmp_path / "samples.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[dict[str, Any], str]:
    assert main([*map(str, words), "--json"]) == 0
    shown = capsys.readouterr()
    return json.loads(shown.out.splitlines()[-1]), shown.err


def test_an_evaluation_is_saved_drawn_and_compared(
    prm: Path, records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved, plots = tmp_path / "p.jsonl", tmp_path / "plots"
    words = ["evaluate", "--model", prm, "--data", records, "--predictions", saved]
    report, said = run(capsys, *words, "--plots", plots, "--tune-on", "test")
    assert sorted(p.name for p in plots.iterdir()) == ["reliability.svg", "thresholds.svg"]
    assert report["threshold"] == 0.5
    assert 0 <= report["tuned"]["threshold"] <= 1
    assert report["unlabeled"] == report["unscored"] == 0
    assert "best threshold on test" in said
    assert "ECE" in said
    assert not (prm / "README.md").exists()
    run(capsys, "evaluate", "--model", prm, "--data", records, "--card")
    assert f"| mean | | | | | {100 * report['mean_f1']:.1f} % |" in (prm / "README.md").read_text()
    (prm / "README.md").unlink()
    other, _ = run(capsys, "evaluate", "--model", prm, "--data", records, "--threshold", 0.9,
                   "--predictions", tmp_path / "q.jsonl")  # fmt: skip
    compared, said = run(capsys, "compare", tmp_path / "q.jsonl", saved)
    assert compared["difference"] == pytest.approx(other["mean_f1"] - report["mean_f1"])
    assert "p.jsonl" in said


def test_what_cannot_be_scored_whole_is_wrong_in_an_evaluation_and_null_in_scores(
    prm: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {"id": "long", "problem": "p", "steps": ["x" * 300], "label": -1},
        {"id": "short", "problem": "p", "steps": ["x"], "label": 0},
    ]
    data = tmp_path / "math.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    report, said = run(capsys, "evaluate", "--model", prm, "--data", data)
    assert report["splits"]["math"]["correct_accuracy"] == 0.0
    assert report["unscored"] == 1
    assert "counted as wrong: 1 (long: 1 of 1 steps lie behind" in said
    out = tmp_path / "scores.jsonl"
    counted, said = run(capsys, "score", "--model", prm, "--data", data, "--out", out)
    first, second = map(json.loads, out.read_text().splitlines())
    assert (first["scores"], first["first_error"]) == (None, None)
    assert "1 of 1 steps" in first["reason"]
    assert len(second["scores"]) == 1
    assert counted == {"solutions": 2, "steps": 1, "unscored": 1, "kept": 0}
    assert "not scored: 1 of 2" in said


def test_best_of_n_is_the_same_from_a_model_and_from_its_saved_scores(
    prm: Path, samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = tmp_path / "scores.jsonl"
    direct, said = run(capsys, "best-of-n", "--model", prm, "--data", samples)
    assert "without scores, never chosen: 1" in said
    run(capsys, "score", "--model", prm, "--data", samples, "--out", scores)
    saved, _ = run(capsys, "best-of-n", "--data", samples, "--scores", scores, "--plots", tmp_path)
    assert saved == direct
    assert (tmp_path / "best_of_n.svg").is_file()
    summary = saved["prms"][""]
    assert (summary["problems"], summary["n"], summary["pass_at_1"]) == (3, 4, 0.25)
    assert summary["majority"] == 0.0  # all answers differ: the first, which is wrong


def test_a_server_scores_in_the_place_of_memory(
    prm: Path, records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("PRM_KEY", "s3cret")
    step_id = checkpoints.load(prm)[1].step_id
    with pooling_server(step_id) as server:
        words = ["--model", prm, "--data", records, "--server", server.url]
        report, _ = run(capsys, "evaluate", *words, "--api-key-env", "PRM_KEY")
        counted, _ = run(capsys, "score", *words, "--out", tmp_path / "s.jsonl")
    assert report["calibration"]["steps"] > 30
    assert counted["solutions"] == 30
    assert server.requests[0]["headers"]["Authorization"] == "Bearer s3cret"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("best-of-n --data {samples}", "best-of-n needs --scores or --model"),
        ("best-of-n --data {records} --scores {none}", "final_answer_correct must be true"),
        ("best-of-n --data {samples} --scores {other}", "do the ids of the two files agree?"),
        ("best-of-n --data {samples} --scores {few}", "has 2 steps but 1 scores"),
        ("best-of-n --data {samples} --scores {words}", "words.jsonl:1: a score is no number"),
        ("best-of-n --data {samples} --scores {records}", "a line needs an id and scores"),
        ("compare {none} {none}", "none.jsonl"),
        ("evaluate --model {prm} --data {records} --tune-on x", "there is no split 'x'"),
        ("score --model {prm} --data {records} --server x --format skywork", "cannot serve"),
        ("score --model {prm} --data {records} --server http://x --api-key-env NO_KEY", "NO_KEY"),
        ("score --model {prm} --data {records} --format skywork", "has no value head"),
        ("export --model {none} --out {none}", "none.jsonl is no directory"),
        ("serve --model {base}", "is no checkpoint of this trainer"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    words: str, reason: str, prm: Path, samples: Path, records: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    places: dict[str, Path] = {"prm": prm, "samples": samples, "records": records}
    places["none"] = tmp_path / "none.jsonl"
    files = {
        "other": {"id": "z", "scores": [1]},
        "few": {"id": "0-0", "scores": [1]},
        "words": {"id": "0-0", "scores": ["1"]},
    }
    for name, row in files.items():
        places[name] = tmp_path / f"{name}.jsonl"
        places[name].write_text(json.dumps(row) + "\n")
    if "{base}" in words:
        places["base"] = make_tiny_qwen(tmp_path / "base")
        capsys.readouterr()
    assert main(words.format(**places).split()) == 2
    error = capsys.readouterr().err
    assert reason in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1
