"""What a cell of a dashboard says of its solutions, as words of an address. Steps count from 1."""

from __future__ import annotations

import re
from enum import StrEnum

DISTANCE = 3
"""Digits that a distance between two first errors may have."""


class Between(StrEnum):
    """How two labelers' verdicts on one solution stand to each other; else a signed distance.

    The distance is that of DESIGN §5: by how many steps the first one's error comes later.
    """

    JUDGED = "judged"
    SCORED = "scored"
    SAME = "same"
    DIFFER = "differ"
    REFUTED = "refuted"
    BOTH_NONE = "both_none"
    BOTH_ERRORS = "both_errors"
    ONLY_FIRST = "only_first"
    ONLY_SECOND = "only_second"


class Audited(StrEnum):
    """What an audit found of a consensus."""

    CHECKED = "checked"
    RIGHT = "right"
    WRONG = "wrong"


class Minimum(StrEnum):
    """Where a PRM's lowest score of a solution stands."""

    LAST = "last"
    EARLIER = "earlier"
    ANY = "any"


ANY_KIND = "any"
WRONG_KIND = "wrong"
"""Beside the kinds of errors (labeling.domain.statistics.diagnostics): all, and all but right."""

_STEPS = re.compile(r"(-?[01]),(-?[01])")
_DAY = r"([12][0-9]{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01]))"
_SPAN = re.compile(rf"{_DAY}\.\.{_DAY}")
_VOTE = re.compile(r"([\w-]{6,40})=(none|error)")


def distance_of(text: str) -> int | None:
    """Return a signed distance, None where the text is none."""
    digits = text[1:] if text[:1] in "+-" else text
    short = digits.isascii() and digits.isdecimal() and len(digits) <= DISTANCE
    return int(text) if short else None


def is_between(text: str) -> bool:
    """Say whether the text is a relation or a distance."""
    return text in set(Between) or distance_of(text) is not None


def step_labels_of(text: str) -> tuple[int, int] | None:
    """Return two step labels, "1,-1", None where the text has none."""
    found = _STEPS.fullmatch(text)
    return (int(found[1]), int(found[2])) if found else None


def span_of(text: str) -> tuple[str, str] | None:
    """Return the first and the last day of "2026-01-05..2026-01-11", None where there is none.

    A month may have been given too many days: no day of the calendar is looked up here.
    """
    found = _SPAN.fullmatch(text)
    return (found[1], found[2]) if found else None


def votes_of(text: str) -> list[tuple[str, str]]:
    """Return (labeler's uid, none|error) of "uid=error uid=none"; empty where it is none."""
    parts = [_VOTE.fullmatch(part) for part in text.split()]
    return [(part[1], part[2]) for part in parts if part] if all(parts) else []
