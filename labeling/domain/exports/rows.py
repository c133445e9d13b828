"""What the writers of formats share: a native row as it was frozen, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

from labeling.domain.phrases import marked

Row = Mapping[str, Any]
"""A line of a snapshot (trainer.records), parsed."""


class Part(Enum):
    """What a native row holds and a format may go without, in the words of cards and pages."""

    COUNTS = marked("Monte-Carlo counts")
    NEUTRAL = marked("neutral steps")
    AFTER = marked("what labelers said of steps after the first error")
    FIRST_ERROR = marked("the first error, where labels are shares of successes")
    REFERENCE = marked("reference answers")
    ANSWER = marked("final answers")
    CORRECT = marked("whether the final answer is right")
    GENERATOR = marked("generators")
    SOURCE = marked("sources and licences")
    PROBLEM_ID = marked("problems' own ids")
    SOLUTION_ID = marked("solutions' own ids")
    CRITIQUE = marked("the judge's words")
    WHO = marked("who labeled")
    SPACE = marked("white space around texts")


CUT = marked("cut after the first error: the format has no steps without a label")
GAP = marked("a step without a label stands before a labeled one")
BARE = marked("no step has a label")


class NotCarried(Exception):
    """A solution that the format cannot hold; the text says why and does not depend on it."""


class Written(NamedTuple):
    """A solution in another format; `note` says what of it was lost, "" for nothing."""

    row: dict[str, Any]
    note: str = ""


def labeled(row: Row) -> int:
    """Return how many steps stand before the first one without a label; NotCarried for a gap."""
    labels = row["labels"]
    kept = next((at for at, label in enumerate(labels) if label is None), len(labels))
    if kept == 0:
        raise NotCarried(BARE if all(label is None for label in labels) else GAP)
    if any(label is not None for label in labels[kept:]):
        raise NotCarried(GAP)
    return kept


def targets(row: Row, soft: bool) -> list[float | int | None]:
    """Return each step's label, or its share of successes where the release is soft."""
    if not soft:
        return list(row["labels"])
    pairs = zip(row["labels"], row["counts"], strict=True)
    return [None if label is None else count[0] / count[1] for label, count in pairs]
