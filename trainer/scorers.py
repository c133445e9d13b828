"""What every source of step scores does, wherever the model runs (no torch, no network)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from trainer.encoding import Encoded
from trainer.formats import StepEncoder

Solution = tuple[str, Sequence[str]]
"""A problem's text and the steps of one solution."""


class ScoringError(ValueError):
    """A solution that cannot be scored whole, or no scores at all; the text says why."""


@dataclass(frozen=True, slots=True)
class Unscored:
    """A solution that a model cannot score whole, and why: never a part of its scores."""

    reason: str


Scored = Sequence[float] | Unscored
"""One probability of right per step, or why there are none."""


class StepScorer(Protocol):
    """A process reward model: an encoder, and what the model says at its step tokens."""

    encoder: StepEncoder

    def score_encoded(self, encoded: Sequence[Encoded]) -> Sequence[Scored]:
        """Return, in order, one probability per step token of each encoded solution."""
        ...


def score_each(scorer: StepScorer, solutions: Sequence[Solution]) -> list[Scored]:
    """Score solutions in order; one that is empty or too long is Unscored and costs nothing."""
    encoded = scorer.encoder.encode_many(solutions)
    flaws = [
        item.flaw(len(steps), scorer.encoder.max_length)
        for item, (_, steps) in zip(encoded, solutions, strict=True)
    ]
    fitting = [item for item, flaw in zip(encoded, flaws, strict=True) if not flaw]
    scored = iter(scorer.score_encoded(fitting) if fitting else ())
    return [Unscored(flaw) if flaw else next(scored) for flaw in flaws]


def score_all(scorer: StepScorer, solutions: Sequence[Solution]) -> list[list[float]]:
    """Score solutions in order; raise `ScoringError` for the first that cannot be scored whole."""
    rows = []
    for number, scored in enumerate(score_each(scorer, solutions)):
        if isinstance(scored, Unscored):
            raise ScoringError(f"item {number}: {scored.reason}")
        rows.append(list(scored))
    return rows
