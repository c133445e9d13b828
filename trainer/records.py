"""The one definition of a training record and of its JSONL file (standard library only).

The export writes through this module and the trainer reads through it; neither knows the other.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

Label = int | None
Counts = tuple[int, int]


class RecordError(ValueError):
    """A record that cannot be used; the text says why and, in a file, where."""


@dataclass(frozen=True, slots=True)
class Record:
    """Hold one solution with its step labels; refuse, as `RecordError`, what contradicts itself.

    `labels[i]` is 1 (right), 0 (wrong) or None (no loss there, such as after the first error).
    `counts[i]` is (successes k, completions n) of step i. `first_error` is the 0-based index of
    the first wrong step, -1 for none, None where unknown. `sources` holds anything JSON can.
    """

    id: str
    problem_id: str
    prompt: str
    steps: tuple[str, ...]
    labels: tuple[Label, ...]
    counts: tuple[Counts | None, ...] | None = None
    first_error: int | None = None
    final_answer_correct: bool | None = None
    split: str = "train"
    sources: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_texts(self)
        _check_labels(self)
        _check_counts(self)
        _check_first_error(self)
        if self.final_answer_correct not in (None, True, False):
            raise RecordError("final_answer_correct must be true, false or null")
        if not isinstance(self.sources, Mapping):
            raise RecordError("sources must be an object")


def to_json(record: Record) -> str:
    """Render one JSON line without its newline: fields in declared order, nothing dropped.

    Same record, same bytes: keys inside `sources` are sorted. Raise `RecordError` where `sources`
    holds what JSON cannot.
    """
    row = {f.name: getattr(record, f.name) for f in fields(Record)}
    try:
        row["sources"] = json.loads(json.dumps(dict(record.sources), sort_keys=True))
        return json.dumps(row, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise RecordError(f"record {record.id!r} cannot be written as JSON: {error}") from error


def from_json(line: str) -> Record:
    """Read one JSON line; raise `RecordError` with the reason where it is not a valid record."""
    try:
        row = json.loads(line)
    except ValueError as error:
        raise RecordError(f"not valid JSON: {error}") from error
    if not isinstance(row, dict):
        raise RecordError("a record must be a JSON object")
    _check_names(row)
    for name in ("steps", "labels"):
        row[name] = _tuple(row[name], name)
    if row.get("counts") is not None:
        pairs = _tuple(row["counts"], "counts")
        row["counts"] = tuple(None if pair is None else _tuple(pair, "counts") for pair in pairs)
    return Record(**row)


def read_jsonl(path: str | Path) -> Iterator[Record]:
    """Yield the records of a file one by one; errors begin with `file:line:`, blank lines pass."""
    with open(path, "rb") as lines:
        for number, raw in enumerate(lines, start=1):
            if not raw.strip():
                continue
            try:
                yield from_json(raw.decode("utf-8"))
            except UnicodeDecodeError as error:
                raise RecordError(f"{path}:{number}: not UTF-8: {error.reason}") from error
            except RecordError as error:
                raise RecordError(f"{path}:{number}: {error}") from error


def write_jsonl(path: str | Path, records: Iterable[Record]) -> int:
    """Write records to a file that appears only when complete; return how many were written."""
    partial = Path(f"{path}.partial")
    count = 0
    try:
        with open(partial, "w", encoding="utf-8", newline="\n") as out:
            for record in records:
                out.write(to_json(record) + "\n")
                count += 1
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return count


def _check_names(row: dict[str, object]) -> None:
    known = [f.name for f in fields(Record)]
    required = known[:5]
    missing = [name for name in required if name not in row]
    if missing:
        raise RecordError(f"missing field {missing[0]!r} (required: {', '.join(required)})")
    unknown = [name for name in row if name not in known]
    if unknown:
        raise RecordError(f"unknown field {unknown[0]!r} (put extra facts into 'sources')")


def _tuple(value: object, name: str) -> tuple[object, ...]:
    if not isinstance(value, list):
        raise RecordError(f"{name} must be a list, not {type(value).__name__}")
    return tuple(value)


def _check_texts(record: Record) -> None:
    for name in ("id", "problem_id", "prompt", "split"):
        _check_text(getattr(record, name), name)
        if name != "problem_id" and not getattr(record, name).strip():
            raise RecordError(f"{name} is empty")
    if not isinstance(record.steps, tuple) or not record.steps:
        raise RecordError("steps must hold at least one step")
    for index, step in enumerate(record.steps):
        _check_text(step, f"steps[{index}]")


def _check_text(value: object, name: str) -> None:
    if not isinstance(value, str):
        raise RecordError(f"{name} must be a text, not {type(value).__name__}")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise RecordError(f"{name} is not valid Unicode: {error.reason}") from error


def _check_labels(record: Record) -> None:
    if not isinstance(record.labels, tuple) or len(record.labels) != len(record.steps):
        raise RecordError(f"{len(record.steps)} steps need {len(record.steps)} labels")
    for index, label in enumerate(record.labels):
        # type() and not isinstance: true and 1.0 equal 1 in Python and would pass unseen.
        if label is not None and (type(label) is not int or label not in (0, 1)):
            raise RecordError(f"labels[{index}] is {label!r}; only 1, 0 and null are labels")


def _check_counts(record: Record) -> None:
    if record.counts is None:
        return
    if not isinstance(record.counts, tuple) or len(record.counts) != len(record.steps):
        raise RecordError(f"{len(record.steps)} steps need {len(record.steps)} counts or none")
    for index, pair in enumerate(record.counts):
        if pair is None:
            continue
        if len(pair) != 2 or any(type(number) is not int for number in pair):
            raise RecordError(f"counts[{index}] must be [successes, completions] or null")
        if not 0 <= pair[0] <= pair[1] or pair[1] == 0:
            raise RecordError(f"counts[{index}]: {pair[0]} successes of {pair[1]} is impossible")


def _check_first_error(record: Record) -> None:
    error = record.first_error
    if error is None:
        return
    if type(error) is not int or not -1 <= error < len(record.steps):
        raise RecordError(f"first_error {error!r} is no step of {len(record.steps)} and not -1")
    zeros = [index for index, label in enumerate(record.labels) if label == 0]
    if zeros and (error == -1 or zeros[0] < error):
        raise RecordError(f"labels[{zeros[0]}] is 0 although first_error is {error}")
    if error >= 0 and record.labels[error] == 1:
        raise RecordError(f"labels[{error}] is 1 although first_error is {error}")
