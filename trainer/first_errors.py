"""Read solutions whose first error is known: our records, ProcessBench's files, anything alike."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.records import Record, RecordError, from_json

_PROMPTS = ("prompt", "problem", "question")


class BenchmarkError(ValueError):
    """A file of labeled solutions that cannot be used; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Solutions with a known first error; `unlabeled` counts the rows left out for want of one."""

    records: list[Record]
    unlabeled: int


def read_benchmark(paths: Sequence[str | Path]) -> Benchmark:
    """Read JSONL files and JSON arrays; a file of ProcessBench's rows is a split of its own.

    A row is a training record, or has `problem` (or prompt, question), `steps` and `label` (or
    first_error): the 0-based first wrong step, -1 for none. Raise `BenchmarkError` with the place.
    """
    found = [record for path in paths for record in _read(Path(path))]
    known = [record for record in found if record.first_error is not None]
    if not known:
        names = ", ".join(map(str, paths))
        raise BenchmarkError(f"{names}: no solution has a first_error or label to evaluate against")
    _check_ids(known)
    return Benchmark(known, len(found) - len(known))


def _read(path: Path) -> Iterator[Record]:
    for place, row in read_rows(path):
        try:
            yield _record(row, path.stem)
        except RecordError as error:
            raise BenchmarkError(f"{place}: {error}") from error


def read_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the JSON objects of a JSONL file or a JSON array, each with its place in words."""
    text = path.read_text(encoding="utf-8")
    for number, row in _parsed(path, text):
        place = f"{path}:{number}"
        if not isinstance(row, dict):
            raise BenchmarkError(f"{place}: a solution must be a JSON object")
        yield place, row


def _parsed(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    if text.lstrip().startswith("["):
        try:
            yield from enumerate(json.loads(text), start=1)
        except ValueError as error:
            raise BenchmarkError(f"{path}: not valid JSON: {error}") from error
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except ValueError as error:
                raise BenchmarkError(f"{path}:{number}: not valid JSON: {error}") from error


def _record(row: dict[str, Any], split: str) -> Record:
    if "problem_id" in row and "prompt" in row and "labels" in row:
        return from_json(json.dumps(row))
    prompt = next((row[name] for name in _PROMPTS if name in row), None)
    steps = row.get("steps")
    if prompt is None or not isinstance(steps, list):
        raise RecordError(f"a solution needs steps and one of {', '.join(_PROMPTS)}")
    name = str(row.get("id", ""))
    return Record(
        id=name,
        problem_id=str(row.get("problem_id", name)),
        prompt=prompt,
        steps=tuple(steps),
        labels=(None,) * len(steps),
        first_error=row.get("first_error", row.get("label")),
        final_answer_correct=row.get("final_answer_correct"),
        split=split,
    )


def _check_ids(records: Sequence[Record]) -> None:
    seen: set[tuple[str, str]] = set()
    for record in records:
        key = (record.split, record.id)
        if key in seen:
            raise BenchmarkError(f"the id {record.id!r} occurs twice in split {record.split!r}")
        seen.add(key)
