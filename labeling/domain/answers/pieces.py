"""Compare answers that have no parts: words, numbers, values with units, expressions."""

from __future__ import annotations

import re
from collections.abc import Callable

from labeling.domain.answers.numbers import equal_numbers, number
from labeling.domain.answers.units import same_units, split_unit
from labeling.domain.answers.words import is_text, same_words

Ask = Callable[[str, str], bool | None]
"""Compares two expressions by computing; None is undecided."""


def same_pieces(gold: str, found: str, ask: Ask) -> bool | None:
    """Compare two normal forms without shape; a unit that only one of them has was dropped."""
    said = same_words(gold, found)
    if said is not None:
        return said
    (value, unit), (other, other_unit) = split_unit(gold), split_unit(found)
    if not same_units(unit or _percent(value), other_unit or _percent(other)):
        return False
    if value == other:
        return True
    first, second = number(value), number(other)
    if first is not None and second is not None:
        return equal_numbers(first, second)
    if is_text(value) or is_text(other):
        return False
    return ask(value, other)


def _percent(value: str) -> str:
    return "%" if value.endswith("%") else ""


def same_as_lone_number(gold: str, found: str) -> bool:
    """Say whether prose ("about 5 apples each") holds the gold number and no other digit."""
    expected, match = number(gold), _LONE.fullmatch(found)
    if expected is None or match is None or _HEDGES.search(found):
        return False
    stated = number(match["number"])
    return stated is not None and bool(equal_numbers(expected, stated))


_LONE = re.compile(
    r"(?P<before>(?:[^\d\\=<>^_*/+|]*[\s:$€£])?)(?P<number>-?\d[\d.,]*\d|-?\d)"
    r"(?P<after>(?:[\s$€£%,.;][^\d\\=<>^_*/+|]*)?)"
)
_HEDGES = re.compile(
    r"(?i)\b(?:not?|never|than|least|most|between|over|under|except|or)\b|n't\b|^(?!.*[a-z]{4})"
)
