"""The lines that `score` writes, and what a killed run's lines are still good for."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trainer.evaluation import first_error
from trainer.items import Item
from trainer.scorers import Scored, ScoringError, StepScorer, Unscored, score_each

SAME = 1e-2
"""How far a score may lie from the one kept: a server in bfloat16 batches differently."""


def row(name: str, values: Scored) -> dict[str, Any]:
    """Return one solution's line."""
    if isinstance(values, Unscored):
        return {"id": name, "scores": None, "first_error": None, "reason": values.reason}
    return {"id": name, "scores": list(values), "first_error": first_error(values)}


def kept(path: Path, items: Sequence[Item]) -> list[dict[str, Any]]:
    """Return the lines of a killed run over the same items; cut off a line that is not whole.

    Raise `ScoringError` with the line that is not of these items.
    """
    if not path.is_file():
        return []
    lines = path.read_bytes().splitlines(keepends=True)
    if lines and not lines[-1].endswith(b"\n"):
        os.truncate(path, sum(map(len, lines[:-1])))
        lines.pop()
    if len(lines) > len(items):
        raise ScoringError(f"{path} has {len(lines)} lines, the data {len(items)} solutions")
    return [
        _read(path, number, line, item)
        for number, (line, item) in enumerate(zip(lines, items, strict=False), start=1)
    ]


def check_model(rows: Sequence[dict[str, Any]], items: Sequence[Item], scorer: StepScorer) -> None:
    """Score the last kept solution again; raise `ScoringError` where another model scored it."""
    scored = [place for place, line in enumerate(rows) if line["scores"] is not None]
    if not scored:
        return
    place = scored[-1]
    (again,) = score_each(scorer, [(items[place].prompt, items[place].steps)])
    before = rows[place]["scores"]
    if isinstance(again, Unscored) or not all(
        abs(one - other) <= SAME for one, other in zip(again, before, strict=True)
    ):
        raise ScoringError(
            f"line {place + 1} holds scores of another model: write to another file, or start anew"
        )


def _read(path: Path, number: int, line: bytes, item: Item) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(line)
        same = found["id"] == item.id
        scores = found["scores"]
        whole = "reason" in found if scores is None else len(scores) == len(item.steps)
    except (ValueError, TypeError, KeyError) as error:
        raise ScoringError(f"{path}:{number}: no line of scores: {error!r}") from error
    if not (same and whole):
        raise ScoringError(f"{path}:{number}: not the scores of solution {item.id!r}")
    return found
