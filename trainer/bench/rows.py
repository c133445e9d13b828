"""Solutions of long-tailed length, made by seed, with a signal that a small model can find.

Lengths follow real solutions (measured over PRM800K-like data: median 172 tokens, 99 % below 775,
the longest ten times the median). Wrong steps sound hasty more often than right ones do; nothing
better than that odds ratio can be learned, so the best possible loss is known to be above 0.
"""

from __future__ import annotations

import math
import random

from trainer.records import Record

LONGEST = 60  # steps
CAREFUL = ("therefore we obtain", "it follows that", "by the definition we get")
HASTY = ("so obviously it is", "we may simply guess", "roughly this gives")
FILLER = ("the sum", "of both", "terms", "and the", "value", "x", "y", "n", "is even", "as before")
TELLS = {1: 0.15, 0: 0.85}  # the chance that a right or wrong step sounds hasty


def rows(count: int, seed: int, split: str) -> list[Record]:
    """Return solutions of which half end with their first wrong step."""
    draw = random.Random(f"{split}:{seed}")  # noqa: S311 (data, not a secret)
    return [_row(draw, f"{split}-{index}", split) for index in range(count)]


def _row(draw: random.Random, name: str, split: str) -> Record:
    count = min(LONGEST, max(1, round(math.exp(draw.gauss(math.log(6.2), 0.6)))))
    error = count - 1 if draw.random() < 0.5 else -1
    labels = tuple(int(index != error) for index in range(count))
    steps = tuple(_step(draw, index, label) for index, label in enumerate(labels))
    prompt = f"Find the value of {_words(draw, 1.6)} when {_words(draw, 1.6)}."
    return Record(name, name, prompt, steps, labels, first_error=error, split=split)


def _step(draw: random.Random, index: int, label: int) -> str:
    tell = draw.choice(HASTY if draw.random() < TELLS[label] else CAREFUL)
    numbers = f"{draw.randint(2, 99)} + {draw.randint(2, 99)} = {draw.randint(4, 198)}"
    return f"Step {index + 1}: {_words(draw, 1.4)}, {tell} {numbers} {_words(draw, 1.0)}."


def _words(draw: random.Random, scale: float) -> str:
    count = max(1, round(math.exp(draw.gauss(scale, 0.5))))
    return " ".join(draw.choice(FILLER) for _ in range(count))
