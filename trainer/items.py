"""Read solutions to score: a problem's text and the steps, nothing else is needed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trainer.scorers import ScoringError


@dataclass(frozen=True, slots=True)
class Item:
    """A solution to score."""

    id: str
    prompt: str
    steps: tuple[str, ...]


def read_items(path: str | Path) -> Iterator[Item]:
    """Yield the solutions of a JSONL file: lines with `prompt` (or `problem`) and `steps`.

    Without an id, a solution's id is its line number. Raise `ScoringError` with file and line.
    """
    with open(path, "rb") as lines:
        for number, raw in enumerate(lines, start=1):
            if raw.strip():
                try:
                    yield _item(json.loads(raw), number)
                except (ValueError, TypeError, KeyError) as error:
                    raise ScoringError(f"{path}:{number}: {_reason(error)}") from error


def _item(row: object, number: int) -> Item:
    if not isinstance(row, dict):
        raise TypeError("a solution must be a JSON object")
    steps = row["steps"]
    if not isinstance(steps, list) or not steps or not all(isinstance(s, str) for s in steps):
        raise TypeError("steps must be a list of at least one text")
    prompt = row["problem"] if "problem" in row and "prompt" not in row else row["prompt"]
    if not isinstance(prompt, str):
        raise TypeError("prompt must be a text")
    return Item(str(row.get("id", number)), prompt, tuple(steps))


def _reason(error: Exception) -> str:
    return f"missing field {error}" if isinstance(error, KeyError) else str(error)
