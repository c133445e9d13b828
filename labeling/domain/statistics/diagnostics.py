"""The diagnostics of arXiv 2501.07301, as functions of counts.

Retention of consensus (§3.1.3, Fig. 2), kinds of errors of Monte-Carlo labels, minimum scores on
the last step (Fig. 8), label noise by group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from labeling.domain.labels import NO_ERROR
from labeling.domain.statistics.confusion import Confusion
from labeling.domain.statistics.intervals import Proportion

Group = TypeVar("Group")


def retention(first_errors: Confusion, refuted: int = 0) -> Proportion:
    """Return the share of solutions that MC and judge both labeled on whose first error they agree.

    `refuted`: solutions of which MC only said that the judge's first error is not its own; they
    were compared and not kept, though MC names no first error (labeling.domain.monte_carlo).
    """
    return Proportion(first_errors.same, first_errors.total + refuted)


class ErrorKind(StrEnum):
    """How a labeler's first error stands to the true one."""

    RIGHT = "right"
    EARLY = "early"
    LATE = "late"
    MISSED = "missed"
    FALSE_ALARM = "false alarm"


def error_kind(said: int, true: int) -> ErrorKind:
    """Return how what was said stands to the truth.

    Early, late: an error was found before, after the true one. Missed: "no error" was said of a
    wrong solution. False alarm: an error was found in a right one.
    """
    if said == true:
        return ErrorKind.RIGHT
    if said == NO_ERROR:
        return ErrorKind.MISSED
    if true == NO_ERROR:
        return ErrorKind.FALSE_ALARM
    return ErrorKind.EARLY if said < true else ErrorKind.LATE


def minimum_is_last(scores: Sequence[float]) -> bool | None:
    """Say whether a solution's lowest step score is the last step's alone.

    Of equal minima the first counts, as a reader who looks for the first error sees it. None for
    fewer than two steps, of which the last is always the lowest.
    """
    if len(scores) < 2:
        return None
    return scores[-1] < min(scores[:-1])


@dataclass(frozen=True, slots=True)
class GroupNoise(Generic[Group]):
    """Labels of one group: how many of those checked were wrong."""

    group: Group
    wrong: Proportion


def noise(groups: Mapping[Group, tuple[int, int]]) -> list[GroupNoise[Group]]:
    """Return the rate of wrong labels per group, in the groups' given order.

    `groups`: (labels found wrong, labels checked) by step position, length, generator, source or
    difficulty. Groups without a checked label stay, with an undefined rate.
    """
    return [GroupNoise(group, Proportion(wrong, n)) for group, (wrong, n) in groups.items()]


def step_noise(said: Sequence[int | None], true: Sequence[int | None]) -> dict[int, bool]:
    """Return by step position whether its label is wrong, for the steps that both judged."""
    pairs = enumerate(zip(said, true, strict=True))
    return {place: a != b for place, (a, b) in pairs if a is not None and b is not None}
