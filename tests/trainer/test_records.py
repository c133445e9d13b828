from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.records import Record, RecordError, from_json, read_jsonl, to_json, write_jsonl

texts = st.text(max_size=30)
named = texts.filter(lambda text: text.strip())
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
pairs = st.integers(1, 16).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@st.composite
def records(draw: st.DrawFn) -> Record:
    steps = tuple(draw(st.lists(texts, min_size=1, max_size=6)))
    error = draw(st.none() | st.integers(-1, len(steps) - 1))
    labels = []
    for index in range(len(steps)):
        choices: list[int | None] = [None, 0, 1]
        if error is not None and (error == -1 or index < error):
            choices = [None, 1]
        elif index == error:
            choices = [None, 0]
        labels.append(draw(st.sampled_from(choices)))
    return Record(
        id=draw(named),
        problem_id=draw(texts),
        prompt=draw(named),
        steps=steps,
        labels=tuple(labels),
        counts=draw(st.none() | st.tuples(*[st.none() | pairs for _ in steps])),
        first_error=error,
        final_answer_correct=draw(st.sampled_from([None, True, False])),
        split=draw(named),
        sources=draw(st.dictionaries(texts, json_values, max_size=3)),
    )


@given(records())
def test_a_record_survives_its_json_line_unchanged(record: Record) -> None:
    line = to_json(record)
    assert from_json(line) == record
    assert "\n" not in line
    assert to_json(from_json(line)) == line


def test_a_line_has_every_field_in_declared_order_and_sorted_sources() -> None:
    record = Record("a", "p", "1+1?", ("1+1=2 é",), (1,), sources={"b": 1, "a": {"d": 1, "c": 2}})
    assert to_json(record) == (
        '{"id":"a","problem_id":"p","prompt":"1+1?","steps":["1+1=2 é"],"labels":[1],'
        '"counts":null,"first_error":null,"final_answer_correct":null,"split":"train",'
        '"sources":{"a":{"c":2,"d":1},"b":1}}'
    )


def test_a_file_gives_back_its_records_in_order(tmp_path: Path) -> None:
    # Separators that str.splitlines would cut at, and a text outside the BMP.
    rows = [Record(str(i), "p", "x", ("a\u2028b\x85c\r\n\U0001f600",), (None,)) for i in range(3)]
    path = tmp_path / "rows.jsonl"
    assert write_jsonl(path, rows) == 3
    assert list(read_jsonl(path)) == rows


def test_a_failed_write_leaves_no_file_behind(tmp_path: Path) -> None:
    bad = Record("a", "p", "x", ("s",), (1,), sources={"x": float("nan")})
    with pytest.raises(RecordError, match="'a' cannot be written"):
        write_jsonl(tmp_path / "rows.jsonl", [bad])
    assert list(tmp_path.iterdir()) == []


def test_a_bad_line_is_named_by_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    good = to_json(Record("a", "p", "x", ("s",), (1,)))
    path.write_text(f"{good}\n\n{good[:-5]}\n")
    rows = read_jsonl(path)
    assert next(rows).id == "a"
    with pytest.raises(RecordError, match=r"rows\.jsonl:3: not valid JSON"):
        next(rows)


BASE = {"id": "a", "problem_id": "p", "prompt": "x", "steps": ["s", "t"], "labels": [1, 0]}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": None}, "id must be a text"),
        ({"id": " "}, "id is empty"),
        ({"prompt": ""}, "prompt is empty"),
        ({"steps": [], "labels": []}, "at least one step"),
        ({"steps": "st"}, "steps must be a list"),
        ({"steps": ["s", 1]}, r"steps\[1\] must be a text"),
        ({"steps": ["s", "\ud800"]}, r"steps\[1\] is not valid Unicode"),
        ({"labels": [1]}, "2 steps need 2 labels"),
        ({"labels": [True, 0]}, r"labels\[0\] is True"),
        ({"labels": [1, 0.0]}, r"labels\[1\] is 0.0"),
        ({"labels": [1, -1]}, r"labels\[1\] is -1"),
        ({"counts": [[1, 8]]}, "2 steps need 2 counts"),
        ({"counts": [[9, 8], None]}, "9 successes of 8"),
        ({"counts": [[0, 0], None]}, "0 successes of 0"),
        ({"counts": [[1], None]}, r"counts\[0\]"),
        ({"first_error": 2}, "first_error 2"),
        ({"first_error": -1}, r"labels\[1\] is 0 although first_error is -1"),
        ({"first_error": 0}, r"labels\[0\] is 1 although first_error is 0"),
        ({"labels": [0, None], "first_error": 1}, r"labels\[0\] is 0 although first_error is 1"),
        ({"final_answer_correct": "yes"}, "final_answer_correct"),
        ({"sources": []}, "sources must be an object"),
        ({"lables": []}, "unknown field 'lables'"),
    ],
)
def test_a_contradiction_is_refused_with_its_reason(change: dict[str, object], reason: str) -> None:
    with pytest.raises(RecordError, match=reason):
        from_json(json.dumps({**BASE, **change}))


def test_a_missing_field_is_named() -> None:
    with pytest.raises(RecordError, match="missing field 'prompt'"):
        from_json(json.dumps({k: v for k, v in BASE.items() if k != "prompt"}))


def test_the_real_data_fits_into_records(shared_data: Path) -> None:
    count = 0
    for path in sorted((shared_data / "processbench_like").glob("processbench_*.jsonl")):
        for line in path.read_text(encoding="utf-8").split("\n"):
            if not line:
                continue
            row = json.loads(line)
            steps = tuple(row["steps"])
            record = Record(
                row["solution_id"],
                row["problem_id"],
                row["problem"],
                steps,
                (None,) * len(steps),
                first_error=row["label"],
                final_answer_correct=row["final_answer_correct"],
                split=path.stem,
            )
            assert from_json(to_json(record)) == record
            count += 1
    assert count == 132 + 316 + 354 + 335  # shared data/README.md
