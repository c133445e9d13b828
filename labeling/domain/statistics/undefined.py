"""Why a statistic does not exist. No function of this package returns NaN or None for one."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias


class Undefined(StrEnum):
    """A reason, in the words that a page shows instead of the number."""

    NOTHING_COMPARED = "nothing has been compared yet"
    ONE_CATEGORY = "every label is the same, so chance alone would agree on all of them"
    RATERS_VARY = "Fleiss' κ needs the same number of ratings for every item"
    NO_TWO_ERRORS = "no solution has an error in the eyes of both"
    NO_SPREAD = "resampling never changes the value, so it cannot show how uncertain it is"
    RARELY_DEFINED = "too many resamples have no value, so there are too few data for an interval"
    REFUTED_UNSEEN = "no refuted solution was sampled in full, so how they differ is unknown"
    NOT_AUDITED = "nothing of it has been audited yet"
    TWO_ANNOTATORS = "with fewer than three annotators nobody can tell whose error it was"
    NEVER_SEEN = "no item of this class was labeled by this annotator"
    NO_LABELS = "there is no such label yet"


Statistic: TypeAlias = float | Undefined


def share(
    part: float, whole: float, otherwise: Undefined = Undefined.NOTHING_COMPARED
) -> Statistic:
    """Return part / whole, or the reason why there is none."""
    return part / whole if whole else otherwise


def known(value: Statistic) -> float | None:
    """Return the number, None where undefined: for JSON and files, which show no reasons."""
    return None if isinstance(value, Undefined) else value
