"""How well people label: what they said against answers known for certain, and how fast.

A person's first error is compared with a key: an adjudicator's. Knows no storage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from labeling.domain.labels import NO_ERROR
from labeling.domain.statistics.confusion import Confusion
from labeling.domain.statistics.distances import Distances, distances
from labeling.domain.statistics.intervals import Proportion

FEWEST_SHOWN = 10
"""People see their own accuracy over blocks of so many items: never that of a single one."""

FEWEST_ANSWERS = 3
"""A key is doubted only once so many people answered."""


class Outcome(StrEnum):
    """How a person's first error relates to the key's."""

    EXACT = "exact"
    LATE = "late"
    EARLY = "early"
    MISSED = "missed"
    FALSE_ALARM = "false_alarm"


class Against(StrEnum):
    """Which answers are compared: exam items, hidden gold, or what was adjudicated besides."""

    EXAM = "exam"
    GOLD = "gold"
    ADJUDICATION = "adjudication"


def outcome(said: int, key: int) -> Outcome:
    """Name the relation of a person's first error to the key's; NO_ERROR is none."""
    if said == key:
        return Outcome.EXACT
    if said == NO_ERROR:
        return Outcome.MISSED
    if key == NO_ERROR:
        return Outcome.FALSE_ALARM
    return Outcome.LATE if said > key else Outcome.EARLY


@dataclass(frozen=True, slots=True)
class Accuracy:
    """A person's first errors (first) against the keys (second).

    `rejected`: items with a key that the person reported as not to be labeled. They are wrong
    answers in an exam and count beside the others here.
    """

    first_errors: Confusion = field(default_factory=lambda: Confusion({}))
    rejected: int = 0

    @property
    def exact(self) -> Proportion:
        """Same first error, of those compared."""
        return Proportion(self.first_errors.same, self.first_errors.total)

    @property
    def within_one(self) -> Proportion:
        """Same verdict "no error", or first errors at most one step apart."""
        return self.distances.within(1)

    @property
    def distances(self) -> Distances:
        """How far the person's first errors lie from the keys."""
        return distances(self.first_errors)

    @property
    def outcomes(self) -> dict[Outcome, int]:
        """Items by outcome; every outcome is there, and they add up to those compared."""
        counted = dict.fromkeys(Outcome, 0)
        for (said, key), n in self.first_errors.cells.items():
            counted[outcome(said, key)] += n
        return counted


@dataclass(frozen=True, slots=True)
class Pace:
    """What a person did of the work, and how fast. Seconds are active ones: idle time is excluded.

    `too_fast` of `timed` submissions took fewer seconds per labeled step than the policy allows.
    """

    submitted: int = 0
    rejected: int = 0
    skipped: int = 0
    given_up: int = 0
    noted: int = 0
    median_item: float | None = None
    median_step: float | None = None
    timed: int = 0
    too_fast: int = 0

    @property
    def taken(self) -> int:
        """Items that the person was done with, one way or another."""
        return self.submitted + self.skipped

    @property
    def fast(self) -> Proportion:
        """Submissions below the policy's seconds per step."""
        return Proportion(self.too_fast, self.timed)

    @property
    def skips(self) -> Proportion:
        """Items passed back, of those taken."""
        return Proportion(self.skipped, self.taken)

    @property
    def gave_up(self) -> Proportion:
        """Items passed back as too hard, of those taken."""
        return Proportion(self.given_up, self.taken)

    @property
    def reports(self) -> Proportion:
        """Items reported as not to be labeled, of those submitted."""
        return Proportion(self.rejected, self.submitted)


def is_doubtful(answers: Mapping[int | None, int], key: int | None) -> bool:
    """Say whether most people disagree with a key, so that a person should look at it again.

    `answers`: people by first error, None for those who reported the item.
    """
    people = sum(answers.values())
    right = answers.get(key, 0) if key is not None else 0
    return key is not None and people >= FEWEST_ANSWERS and 2 * right < people


def settled_block(answers: Sequence[tuple[int, int]], block: int = FEWEST_SHOWN) -> Accuracy:
    """Return the accuracy over the oldest whole blocks of (said, key), oldest first.

    The remainder waits until its block is full, so that no single item shows in the number.
    """
    return Accuracy(Confusion.of(answers[: len(answers) // block * block]))
