from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.trainer.conftest import sums
from trainer.first_errors import BenchmarkError, read_benchmark
from trainer.records import write_jsonl

ROW = {"id": "a", "problem": "1+1?", "steps": ["2", "3"], "label": 1, "final_answer_correct": False}


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_processbench_file_is_a_split_named_after_it(tmp_path: Path) -> None:
    lines = write(tmp_path / "gsm8k.jsonl", [ROW, {**ROW, "id": "b", "label": -1}])
    array = tmp_path / "math.json"
    array.write_text(json.dumps([ROW], indent=2))
    found = read_benchmark([lines, array])
    assert [(r.split, r.id, r.first_error) for r in found.records] == [
        ("gsm8k", "a", 1), ("gsm8k", "b", -1), ("math", "a", 1),
    ]  # fmt: skip
    assert found.records[0].final_answer_correct is False
    assert found.records[0].prompt == "1+1?"


def test_training_records_keep_their_own_split(tmp_path: Path) -> None:
    records = sums(3, split="test")
    write_jsonl(tmp_path / "x.jsonl", records)
    assert read_benchmark([tmp_path / "x.jsonl"]).records == records


def test_solutions_without_a_known_first_error_are_counted_and_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", [ROW, {**ROW, "id": "b", "label": None}])
    found = read_benchmark([path])
    assert (len(found.records), found.unlabeled) == (1, 1)
    with pytest.raises(BenchmarkError, match="no solution has a first_error or label"):
        read_benchmark([write(tmp_path / "y.jsonl", [{**ROW, "label": None}])])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({**ROW, "label": 2}, r"x\.jsonl:1: first_error 2 is no step of 2"),
        ({**ROW, "label": True}, r"x\.jsonl:1: first_error True is no step"),
        ({**ROW, "steps": "2"}, r"x\.jsonl:1: a solution needs steps"),
        ({"id": "a", "steps": ["2"], "label": 0}, "needs steps and one of prompt, problem"),
        ({k: v for k, v in ROW.items() if k != "id"}, r"x\.jsonl:1: id is empty"),
    ],
)
def test_a_bad_row_says_where_it_is(tmp_path: Path, row: dict[str, object], reason: str) -> None:
    with pytest.raises(BenchmarkError, match=reason):
        read_benchmark([write(tmp_path / "x.jsonl", [row])])


@pytest.mark.parametrize(("text", "reason"), [("[{]", "not valid JSON"), ("3\n", "JSON object")])
def test_a_file_that_is_no_json_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(BenchmarkError, match=reason):
        read_benchmark([tmp_path / "x.json"])


def test_an_id_occurs_once_in_a_split(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="'a' occurs twice in split 'x'"):
        read_benchmark([write(tmp_path / "x.jsonl", [ROW, ROW])])


def test_real_first_error_files_are_read_whole(shared_data: Path) -> None:
    folder = shared_data / "processbench_like"
    found = read_benchmark(sorted(folder.glob("processbench_*.jsonl")))
    # shared/data/README.md: gsm8k 132, math 316, olympiadbench 354, omnimath 335.
    assert Counter(r.split.removeprefix("processbench_") for r in found.records) == {
        "gsm8k": 132, "math": 316, "olympiadbench": 354, "omnimath": 335,
    }  # fmt: skip
    assert found.unlabeled == 0
    assert read_benchmark([shared_data / "original_formats" / "processbench" / "gsm8k.json"])
