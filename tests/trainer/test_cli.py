from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.trainer.conftest import sums
from trainer.cli import main
from trainer.records import write_jsonl


@pytest.fixture
def records(tmp_path: Path) -> Path:
    write_jsonl(tmp_path / "test.jsonl", sums(30, seed=2, split="test"))
    return tmp_path / "test.jsonl"


def test_a_newcomer_gets_from_records_to_scores(
    records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: object) -> dict[str, object]:
        assert main([*map(str, words), "--json"]) == 0
        return json.loads(capsys.readouterr().out.splitlines()[-1])

    base, out = tmp_path / "base", tmp_path / "run"
    small = ("--hidden", 32, "--layers", 2, "--vocab-size", 300)
    assert run("init", "--data", records, "--out", base, *small)["backbone"] == str(base)
    assert "knows nothing" in (base / "README.md").read_text()
    fit = ("--data", records, "--backbone", base, "--out", out, "--lr", 1e-3)
    summary = run("train", *fit, "--iterations", 3, "--device", "cpu")
    assert summary["model"] == str(out / "model")
    assert len(summary["losses"]) == 3
    use = ("--model", out / "model", "--data", records, "--device", "cpu")
    predictions = tmp_path / "predictions.jsonl"
    report = run("evaluate", *use, "--predictions", predictions)
    assert report["splits"]["test"]["erroneous"] + report["splits"]["test"]["correct"] == 30
    compared = run("evaluate", *use, "--compare", predictions)
    assert compared["comparison"]["difference"] == 0.0
    assert run("score", *use)["solutions"] == 30


def test_scores_are_one_line_per_solution_with_one_number_per_step(
    records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base, out = tmp_path / "base", tmp_path / "run"
    main(["init", "--data", str(records), "--out", str(base), "--hidden", "32", "--layers", "1"])
    main([*f"train --data {records} --backbone {base} --out {out} --iterations 1".split()])
    items = tmp_path / "items.jsonl"
    items.write_text(
        '{"prompt": "1+1?", "steps": ["2", "so 2"]}\n\n{"id": "b", "prompt": "", "steps": ["x"]}\n'
    )
    capsys.readouterr()
    assert main(["score", "--model", str(out / "model"), "--data", str(items)]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["id"], len(row["scores"])) for row in rows] == [("1", 2), ("b", 1)]


BAD_LINE = '{"id": "a", "problem_id": "p", "prompt": "x", "steps": ["s"], "labels": [2]}\n'


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("train --data {bad} --backbone {base} --out {out}", "bad.jsonl:1: labels[0] is 2"),
        ("train --data {none} --backbone {base} --out {out}", "none.jsonl"),
        ("train --data {bad} --backbone {none} --out {out}", "none.jsonl is no directory"),
        ("train --data {bad} --backbone {base} --out {out} --lr -1", "lr must be above 0"),
        ("evaluate --data {bad} --model {base}", "bad.jsonl:1: labels[0] is 2"),
        ("evaluate --data {good} --model {base}", "is no process reward model"),
        ("score --data {good} --model {out}", "is no directory"),
        ("score --data {bare} --model {base}", "bare.jsonl:1: missing field 'steps'"),
        ("init --data {bad} --out {out}", "bad.jsonl:1: labels[0] is 2"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    words: str,
    reason: str,
    records: Path,
    backbone: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "bad.jsonl").write_text(BAD_LINE)
    (tmp_path / "bare.jsonl").write_text('{"prompt": "x"}\n')
    places = {"bad": tmp_path / "bad.jsonl", "none": tmp_path / "none.jsonl", "good": records}
    places |= {"base": backbone, "out": tmp_path / "out", "bare": tmp_path / "bare.jsonl"}
    assert main(words.format(**places).split()) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert reason in error
    assert error.count("\n") == 1


def test_the_module_runs_and_explains_itself() -> None:
    command = [sys.executable, "-m", "trainer", "train", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "--backbone" in done.stdout


def test_every_command_stands_in_the_documentation() -> None:
    command = [sys.executable, "-m", "trainer", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    commands = re.findall(r"^    ([a-z-]+)(?: |$)", done.stdout, re.MULTILINE)
    page = (Path(__file__).parents[2] / "docs" / "trainer.md").read_text()
    assert len(commands) >= 9
    assert [name for name in commands if f"| [`{name}`](#" not in page] == []


def test_records_can_be_imported_without_torch() -> None:
    code = "import sys, trainer.records; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
