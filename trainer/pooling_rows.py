"""Read what a /pooling endpoint answers: one row (wrong, right) per step, or what is amiss.

A server that pools at another token answers 200 with no row, with one per token, with logits or
with an embedding: nothing is taken on trust, and every message says what to change.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from trainer.encoding import Encoded
from trainer.scorers import Scored, ScoringError, Unscored

TOLERANCE = 0.02
"""How far from 1 a row may sum: a server that computes in bfloat16 rounds to 1/256."""


class BadAnswer(ScoringError):
    """An answer that a PRM's server does not give; `hopeless` where no repetition can help."""

    def __init__(self, message: str, *, hopeless: bool = False) -> None:
        super().__init__(message)
        self.hopeless = hopeless


def read_answer(answer: Any, asked: Sequence[Encoded], flags: str) -> list[Scored]:
    """Return the probability of right at each step token of each input, in the order asked.

    An input whose numbers overflowed is Unscored. Raise `BadAnswer`, which names the `flags` that
    the server lacks, where the answer is not what a PRM answers.
    """
    entries = _entries(answer)
    if len(entries) != len(asked):
        raise BadAnswer(f"{len(entries)} answers to {len(asked)} inputs")
    return [_scores(entry, item, flags) for entry, item in zip(entries, asked, strict=True)]


def _entries(answer: Any) -> list[Any]:
    """Return the answers' data in the order of the inputs."""
    try:
        rows = sorted(answer["data"], key=lambda row: row["index"])
        if [row["index"] for row in rows] != list(range(len(rows))):
            raise ValueError("the indices are no sequence")
        return [row["data"] for row in rows]
    except (LookupError, TypeError, ValueError) as error:
        raise BadAnswer(f"the answer is none of /pooling: {error!r}") from error


def _scores(rows: Any, item: Encoded, flags: str) -> Scored:
    if not isinstance(rows, list):
        raise BadAnswer(f"the answer is none of /pooling: {type(rows).__name__} for rows")
    steps = len(item.positions)
    if not all(isinstance(row, list) for row in rows):
        raise _misfit("one vector instead of a row per step: it does not serve a PRM", flags)
    if len(rows) != steps:
        raise _misfit(_miscounted(len(rows), steps, len(item.ids)), flags)
    for row in rows:
        if len(row) != 2:
            raise _misfit(f"a row of {len(row)} numbers instead of (wrong, right)", flags)
    return _probabilities(rows)


def _miscounted(rows: int, steps: int, tokens: int) -> str:
    if rows == 0:
        return f"no row for a solution of {steps} steps: its step_tag_id is another one"
    if rows == tokens:
        return f"one row per token ({rows} for {steps} steps): it does not pool at the step token"
    return f"{rows} rows for a solution of {steps} steps: its step_tag_id is another one"


def _probabilities(rows: Sequence[Sequence[Any]]) -> Scored:
    numbers = [value for row in rows for value in row]
    if not all(isinstance(value, int | float) and math.isfinite(value) for value in numbers):
        return Unscored("the model computed no finite number for this solution")
    for row in rows:
        if not _sums_to_one(row):
            raise BadAnswer(
                f"the server returned {row}, which are no probabilities but raw logits: start it "
                'without "use_activation": false',
                hopeless=True,
            )
    return [float(row[1]) for row in rows]


def _sums_to_one(row: Sequence[float]) -> bool:
    return all(0.0 <= value <= 1.0 for value in row) and abs(sum(row) - 1.0) <= TOLERANCE


def _misfit(what: str, flags: str) -> BadAnswer:
    return BadAnswer(f"the server returned {what}; start it with {flags}", hopeless=True)
