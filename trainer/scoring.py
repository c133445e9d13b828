"""Score the steps of solutions with a trained PRM."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from trainer import checkpoints
from trainer.batching import Example, collate, micro_batches
from trainer.encoding import Encoded


class ScoringError(ValueError):
    """A solution that cannot be scored whole; the text says why."""


@dataclass(frozen=True, slots=True)
class Item:
    """A solution to score."""

    id: str
    prompt: str
    steps: tuple[str, ...]


def read_items(path: str | Path) -> Iterator[Item]:
    """Yield the solutions of a JSONL file; only `prompt` and `steps` are needed in a line.

    Without an id, a solution's id is its line number. Raise `ScoringError` with file and line.
    """
    with open(path, "rb") as lines:
        for number, raw in enumerate(lines, start=1):
            if raw.strip():
                try:
                    yield _item(json.loads(raw), number)
                except (ValueError, TypeError, KeyError) as error:
                    raise ScoringError(f"{path}:{number}: {_reason(error)}") from error


class Scorer:
    """Hold one PRM in memory and give each step's probability of being right."""

    def __init__(
        self,
        path: str | Path,
        device: str = "auto",
        max_tokens: int = 4096,
        threads: int | None = None,
    ) -> None:
        """Load the PRM directory at `path`; `max_tokens` bounds the padded tokens of a batch.

        `threads` sets torch's CPU threads for the whole process (None: leave them).
        """
        if threads is not None:
            torch.set_num_threads(threads)
        model, self.encoder = checkpoints.load(path)
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model = model.to(device).eval()
        self.max_tokens = max_tokens

    def score(self, prompt: str, steps: Sequence[str]) -> list[float]:
        """Return one probability of right per step."""
        return self.score_many([(prompt, steps)])[0]

    def score_many(self, items: Sequence[tuple[str, Sequence[str]]]) -> list[list[float]]:
        """Return, in the order of the (prompt, steps) items, one probability per step.

        Raise `ScoringError` for an item without steps or longer than the model's context: no step
        is dropped silently.
        """
        encoded = self.encoder.encode_many(items)
        for number, (item, (_, steps)) in enumerate(zip(encoded, items, strict=True)):
            if flaw := item.flaw(len(steps), self.encoder.max_length):
                raise ScoringError(f"item {number}: {flaw}")
        return self.score_encoded(encoded)

    def score_encoded(self, encoded: Sequence[Encoded]) -> list[list[float]]:
        """Return one probability per step token of each encoded solution."""
        scores: list[list[float]] = [[] for _ in encoded]
        for chosen in micro_batches([len(item.ids) for item in encoded], self.max_tokens):
            for index, values in zip(
                chosen, self._forward([encoded[i] for i in chosen]), strict=True
            ):
                scores[index] = values
        return scores

    @torch.inference_mode()
    def _forward(self, items: list[Encoded]) -> list[list[float]]:
        counts = [len(item.positions) for item in items]
        batch = collate([Example(e.ids, e.positions, [0.0] * len(e.positions)) for e in items])
        batch = batch.to(self.model.device)
        logits = self.model(batch.ids, batch.rows, batch.columns)
        right = logits.softmax(dim=-1)[:, 1].cpu()
        return [part.tolist() for part in right.split(counts)]


def _item(row: object, number: int) -> Item:
    if not isinstance(row, dict):
        raise TypeError("a solution must be a JSON object")
    steps = row["steps"]
    if not isinstance(steps, list) or not steps or not all(isinstance(s, str) for s in steps):
        raise TypeError("steps must be a list of at least one text")
    if not isinstance(row["prompt"], str):
        raise TypeError("prompt must be a text")
    return Item(str(row.get("id", number)), row["prompt"], tuple(steps))


def _reason(error: Exception) -> str:
    return f"missing field {error}" if isinstance(error, KeyError) else str(error)
