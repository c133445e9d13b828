"""From a JSONL file to training examples, with every lost label counted."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer.batching import Example
from trainer.config import TrainConfig, TrainError
from trainer.encoding import Encoded, Encoder
from trainer.records import Record, read_jsonl


@dataclass(frozen=True, slots=True)
class Dataset:
    """Examples of one run, and what became of the file's labels."""

    examples: list[Example]
    sha256: str
    right: int
    wrong: int
    dropped: int

    @property
    def warning(self) -> str | None:
        """Say in words which labels truncation cost, None where it cost none."""
        if not self.dropped:
            return None
        total = self.right + self.wrong + self.dropped
        return f"{self.dropped} of {total} labels lie behind max_length and are not trained on"


def load_dataset(config: TrainConfig, encoder: Encoder) -> Dataset:
    """Read and encode a run's records.

    Raise `RecordError` with file and line for a bad record, `TrainError` for duplicate ids, a
    record without a trainable label, or more labels lost to `max_length` than `max_dropped`.
    """
    records = list(read_jsonl(config.data))
    _check_records(records, config.data)
    records = limit_labels(records, config.max_labels, config.seed)
    encoded = encoder.encode_many((record.prompt, record.steps) for record in records)
    pairs = list(zip(records, encoded, strict=True))
    kept = [label for r, e in pairs for label in r.labels[: len(e.positions)]]
    lost = [label for r, e in pairs for label in r.labels[len(e.positions) :]]
    dropped = len(lost) - lost.count(None)
    total = len(kept) - kept.count(None) + dropped
    if dropped > config.max_dropped * total:
        raise TrainError(
            f"{dropped} of {total} labels lie behind max_length {encoder.spec.max_length}; "
            f"allowed are {config.max_dropped:.2%}"
        )
    examples = [example(r, e, config.objective == "soft") for r, e in pairs]
    sha256 = file_sha256(config.data)
    return Dataset(examples, sha256, kept.count(1), kept.count(0), dropped)


def example(record: Record, encoded: Encoded, soft: bool) -> Example:
    """Pair a record's labeled steps with their positions; tokens behind the last label are cut.

    Cutting changes nothing (attention is causal) and saves the work. Raise `TrainError` with the
    record's id where no label is left.
    """
    kept = [
        (position, target(record, step, soft))
        for step, position in enumerate(encoded.positions)
        if record.labels[step] is not None
    ]
    if not kept:
        raise TrainError(f"record {record.id!r} has no label within max_length to train on")
    positions = [position for position, _ in kept]
    return Example(encoded.ids[: positions[-1] + 1], positions, [value for _, value in kept])


def target(record: Record, step: int, soft: bool) -> float:
    """Return a labeled step's target: successes / completions where soft and counted, else 0/1."""
    counts = record.counts[step] if soft and record.counts else None
    if counts is not None:
        return counts[0] / counts[1]
    return float(record.labels[step] or 0)


def limit_labels(records: Sequence[Record], limit: int | None, seed: int) -> list[Record]:
    """Return records, drawn by seed, that hold at most `limit` labels together (None: all)."""
    if limit is None:
        return list(records)
    order = list(records)
    random.Random(f"labels:{seed}").shuffle(order)  # noqa: S311 (an order, not a secret)
    chosen, total = [], 0
    for record in order:
        total += sum(label is not None for label in record.labels)
        if total > limit:
            break
        chosen.append(record)
    if not chosen:
        raise TrainError(f"max_labels {limit} is less than one record holds")
    return chosen


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_records(records: Sequence[Record], path: Path) -> None:
    if not records:
        raise TrainError(f"{path} holds no record")
    seen: set[str] = set()
    for record in records:
        if record.id in seen:
            raise TrainError(f"{path}: the id {record.id!r} occurs twice")
        seen.add(record.id)
