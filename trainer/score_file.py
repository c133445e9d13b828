"""The lines that `score` writes, and what a killed run's lines are still good for.

A file beside them (`scores.jsonl.of.json`) says of which solutions and which model they are.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
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


def items_sha256(items: Sequence[Item]) -> str:
    """Return a SHA-256 over all that is scored of solutions."""
    digest = hashlib.sha256()
    for item in items:
        digest.update(json.dumps([item.id, item.prompt, item.steps]).encode() + b"\n")
    return digest.hexdigest()


def begin(path: Path, of: Mapping[str, str]) -> None:
    """Empty a file of scores, and say beside it what those to come are of."""
    if path.exists() and not path.is_file():
        return  # a pipe or the like: nothing in it can be gone on with
    path.write_bytes(b"")  # first: earlier lines must not pass for these
    _beside(path).write_text(json.dumps(dict(of), indent=2) + "\n", encoding="utf-8")


def kept(path: Path, items: Sequence[Item], of: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the lines of a killed run over the same items; cut off a line that is not whole.

    Raise `ScoringError` where they are of something else than `of`, or with the line that is not
    of these items.
    """
    if not path.is_file() or not path.stat().st_size:
        return []
    lines = whole_lines(path, of)
    if len(lines) > len(items):
        raise ScoringError(f"{path} has {len(lines)} lines, the data {len(items)} solutions")
    return [
        _read(path, number, line, item)
        for number, (line, item) in enumerate(zip(lines, items, strict=False), start=1)
    ]


def whole_lines(path: Path, of: Mapping[str, str]) -> list[bytes]:
    """Return the lines of a killed run; cut off what is not whole.

    Raise `ScoringError` where they are of something else than `of`.
    """
    _check_same(path, of)
    lines = path.read_bytes().splitlines(keepends=True)
    if lines and not lines[-1].endswith(b"\n"):
        os.truncate(path, sum(map(len, lines[:-1])))
        lines.pop()
    return lines


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


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.of.json")


def _check_same(path: Path, of: Mapping[str, str]) -> None:
    beside = _beside(path)
    if not beside.is_file():
        raise ScoringError(
            f"{beside} is missing, which says of which solutions and model the scores are: "
            "start anew"
        )
    before = json.loads(beside.read_text(encoding="utf-8"))
    changed = [name for name, value in of.items() if before.get(name) != value]
    if changed:
        raise ScoringError(
            f"{path} holds scores of before {', '.join(changed)} changed: write to another file, "
            "or start anew"
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
