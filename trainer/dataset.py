"""From a JSONL file to training examples, with every lost label counted."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from trainer.batching import Example
from trainer.config import TrainConfig, TrainError
from trainer.encoding import Encoded, Encoder
from trainer.fingerprints import file_sha256
from trainer.records import Label, Record, RecordError, read_jsonl


@dataclass(frozen=True, slots=True)
class Dataset:
    """Examples of one run, and what became of the file's labels.

    `dropped` lie behind `max_length`; `after_error` lie behind a first wrong step.
    """

    examples: list[Example]
    sha256: str
    right: int
    wrong: int
    dropped: int
    after_error: int

    @property
    def warning(self) -> str | None:
        """Say in words which labels truncation cost, None where it cost none."""
        if not self.dropped:
            return None
        total = self.right + self.wrong + self.dropped
        return f"{self.dropped} of {total} labels lie behind max_length and are not trained on"


def load_dataset(config: TrainConfig, encoder: Encoder, path: Path | None = None) -> Dataset:
    """Read and encode a run's records, or those of another file for the same run.

    Raise `RecordError` with file and line for a bad record, `TrainError` for duplicate ids, a
    record without a trainable label, or more labels lost to `max_length` than `max_dropped`.
    """
    path = path or config.data
    read = [with_neutral(record, config.neutral) for record in read_jsonl(path)]
    _check_records(read, path)
    records = read if config.after_error else [until_error(record) for record in read]
    after_error = _count(read) - _count(records)
    records = limit_labels(records, config.max_labels, config.seed)
    encoded = encoder.encode_many((record.prompt, record.steps) for record in records)
    pairs = list(zip(records, encoded, strict=True))
    dropped = sum(known(r.labels[len(e.positions) :]) for r, e in pairs)
    if dropped > config.max_dropped * _count(records):
        raise TrainError(
            f"{dropped} of {_count(records)} labels lie behind max_length "
            f"{encoder.spec.max_length}; allowed are {config.max_dropped:.2%}"
        )
    examples = [example(r, e, config.objective) for r, e in pairs]
    kept = [label for r, e in pairs for label in r.labels[: len(e.positions)]]
    return Dataset(examples, file_sha256(path), kept.count(1), kept.count(0), dropped, after_error)


def known(labels: Sequence[Label]) -> int:
    """Count the labels that are not None."""
    return sum(label is not None for label in labels)


def with_neutral(record: Record, neutral: str) -> Record:
    """Return a record whose steps of `sources["neutral"]` (0-based) are labeled as asked.

    "label" leaves them as they are. A neutral step that counts as wrong may be the first wrong one.
    Raise `TrainError` with the record's id where the sources name what is no step.
    """
    steps = record.sources.get("neutral", ())
    if neutral == "label" or not steps:
        return record
    if not isinstance(steps, list) or not all(step in range(len(record.steps)) for step in steps):
        raise TrainError(f"record {record.id!r}: sources.neutral is no list of its steps")
    label = {"right": 1, "wrong": 0, "none": None}[neutral]
    labels = [label if i in steps else known for i, known in enumerate(record.labels)]
    error = record.first_error
    if label == 0 and error is not None:
        error = min(step for step in (*steps, error) if step >= 0)
    try:
        return replace(record, labels=tuple(labels), first_error=error)
    except RecordError as reason:
        raise TrainError(f"record {record.id!r} with neutral {neutral}: {reason}") from reason


def until_error(record: Record) -> Record:
    """Return a record without the labels behind its first wrong step.

    What follows a wrong step is neither right nor wrong by itself (RECIPE 1.3).
    """
    wrong = record.labels.index(0) if 0 in record.labels else record.first_error
    if wrong is None or wrong < 0:
        return record
    behind = len(record.labels) - wrong - 1
    return replace(record, labels=(*record.labels[: wrong + 1], *[None] * behind))


def example(record: Record, encoded: Encoded, objective: str) -> Example:
    """Pair a record's labeled steps with their positions; tokens behind the last label are cut.

    Cutting changes nothing (attention is causal) and saves the work. Raise `TrainError` with the
    record's id where no label is left.
    """
    kept = [
        (position, *target(record, step, objective))
        for step, position in enumerate(encoded.positions)
        if record.labels[step] is not None
    ]
    if not kept:
        raise TrainError(f"record {record.id!r} has no label within max_length to train on")
    positions, targets, trials = (list(column) for column in zip(*kept, strict=True))
    return Example(encoded.ids[: positions[-1] + 1], positions, targets, trials)


def target(record: Record, step: int, objective: str) -> tuple[float, int]:
    """Return a labeled step's target and of how many trials it is the share.

    That is successes / completions where the objective is not "hard" and the step has counts, else
    its label.
    """
    counts = record.counts[step] if objective != "hard" and record.counts else None
    if counts is not None:
        return counts[0] / counts[1], counts[1]
    return float(record.labels[step] or 0), 1


def limit_labels(records: Sequence[Record], limit: int | None, seed: int) -> list[Record]:
    """Return records, drawn by seed, that hold at most `limit` labels together (None: all)."""
    if limit is None:
        return list(records)
    order = list(records)
    random.Random(f"labels:{seed}").shuffle(order)  # noqa: S311 (an order, not a secret)
    chosen, total = [], 0
    for record in order:
        total += known(record.labels)
        if total > limit:
            break
        chosen.append(record)
    if not chosen:
        raise TrainError(f"max_labels {limit} is less than one record holds")
    return chosen


def _count(records: Sequence[Record]) -> int:
    return sum(known(record.labels) for record in records)


def _check_records(records: Sequence[Record], path: Path) -> None:
    if not records:
        raise TrainError(f"{path} holds no record")
    seen: set[str] = set()
    for record in records:
        if record.id in seen:
            raise TrainError(f"{path}: the id {record.id!r} occurs twice")
        seen.add(record.id)
