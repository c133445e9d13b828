"""Read numbers exactly: integers, decimals, fractions, percentages, powers of ten."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction

MAX_DIGITS = 60
"""Numbers longer than this are compared as text only."""

_INTEGER = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)")
_COMMA = re.compile(r"[+-]?\d+,\d+")
_DECIMAL = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)?\.\d+|[+-]?\d+\.")
_SCIENTIFIC = re.compile(
    r"(?P<digits>[+-]?\d+(?:\.\d+)?)(?:[eE]|\*10\^\{?(?=[^}]*\}?$))(?P<power>[+-]?\d{1,2})\}?"
)
_FRACTION = re.compile(
    r"(?P<sign>[+-]?)(?P<whole>\d+ ?(?=\\frac)|\d+ (?=\d))?"
    r"(?:\\frac\{(?P<a>-?\d+)\}\{(?P<b>-?\d+)\}|(?P<c>\d+)/(?P<d>-?\d+))"
)


def number(text: str) -> Fraction | None:
    """Return the value of a normal form (answers.normalize); None where it is no plain number."""
    body = text.removesuffix("%")
    if sum(char.isdigit() for char in body) > MAX_DIGITS or not body.isascii():
        return None
    value = _READERS[number_kind(body)](body)
    if value is None:
        return None
    return value / 100 if body != text else value


def _plain_number(body: str) -> Fraction:
    return Fraction(body.replace(",", "").removesuffix("."))


def _scientific(body: str) -> Fraction | None:
    match = _SCIENTIFIC.fullmatch(body)
    return Fraction(match["digits"]) * Fraction(10) ** int(match["power"]) if match else None


def _fraction(body: str) -> Fraction | None:
    match = _FRACTION.fullmatch(body)
    if match is None:
        return None
    numerator, denominator = int(match["a"] or match["c"]), int(match["b"] or match["d"])
    if denominator == 0:
        return None
    value = Fraction(numerator, denominator) + int(match["whole"] or 0)
    return -value if match["sign"] == "-" else value


def number_kind(text: str) -> str:
    """Return what sort of number a normal form is; only like sorts can be told apart exactly."""
    if text.endswith("%"):
        return "percent"
    forms = ((_INTEGER, "integer"), (_DECIMAL, "decimal"), (_COMMA, "comma"))
    named = (name for form, name in forms if form.fullmatch(text))
    return next(named, "scientific" if "10^" in text or "e" in text.lower() else "fraction")


_READERS: Mapping[str, Callable[[str], Fraction | None]] = {
    "integer": _plain_number,
    "decimal": _plain_number,
    "comma": lambda body: Fraction(body.replace(",", ".")),
    "scientific": _scientific,
    "fraction": _fraction,
    "percent": lambda _: None,  # "5%%"
}
