"""Read numbers exactly: grouped digits, decimals, fractions, percentages, powers of ten, bases.

A point is always a decimal point; a comma groups thousands where it can ("1,234"), else it is a
decimal comma ("1,5") or separates two numbers, which only the other answer can tell.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

MAX_DIGITS = 1_000
"""Numbers longer than this are compared as text only."""

PRINTED_DIGITS = 12
"""A decimal with so many significant digits is a computer's print of an exact value."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written: `step` is one unit of a decimal's last place, `digits` how many count.

    `value` of a percentage is its hundredth.
    """

    value: Fraction
    is_percent: bool = False
    has_comma: bool = False
    step: Fraction | None = None
    digits: int = 0

    @property
    def face(self) -> Fraction:
        """Return the number without its percent sign."""
        return self.value * 100 if self.is_percent else self.value


@lru_cache(maxsize=16_384)
def number(text: str) -> Number | None:
    """Return the number that a normal form (notation.normalize) writes; None where it is none."""
    if _INTEGER.fullmatch(text) and len(text) <= MAX_DIGITS:
        return Number(Fraction(int(text)))
    body = text.removesuffix("%")
    if not body.isascii() or sum(map(str.isdigit, body)) > MAX_DIGITS:
        return None
    for form, read in _READERS:
        match = form.fullmatch(body)
        if match is not None:
            found = read(match)
            return found if found is None or body == text else _percent(found)
    return None


def equal_numbers(a: Number, b: Number) -> bool | None:
    """Say whether two numbers are equal; None where both may be lists ("1,2" and "2,1").

    50% equals 0.5 and, its sign dropped, 50. A decimal equals a fraction only where it is exact,
    or prints its value: PRINTED_DIGITS digits, less than one unit of the last off (rounded, cut, or
    the shortest print of a double).
    """
    if a.has_comma and b.has_comma:
        return None
    if a.value == b.value:
        return True
    if a.is_percent != b.is_percent and a.face == b.face:
        return True
    return is_print(a, b) or is_print(b, a)


def is_print(decimal: Number, exact: Number) -> bool:
    """Say whether a decimal is the long print of a number that is written exactly."""
    if decimal.step is None or exact.step is not None or decimal.digits < PRINTED_DIGITS:
        return False
    return abs(decimal.value - exact.value) < decimal.step


def _percent(number: Number) -> Number:
    step = None if number.step is None else number.step / 100
    return Number(number.value / 100, True, number.has_comma, step, number.digits)


def _decimal(digits: str, *, has_comma: bool = False) -> Number:
    places = digits.partition(".")[2]
    if not places:
        return Number(Fraction(int(digits.removesuffix("."))), has_comma=has_comma)
    significant = len(digits.lstrip("+-0.").replace(".", ""))
    return Number(Fraction(digits), False, has_comma, Fraction(1, 10 ** len(places)), significant)


def _grouped(mark: str, point: str) -> Callable[[re.Match[str]], Number]:
    return lambda match: _decimal(match[0].replace(mark, "").replace(point, "."))


def _scientific(match: re.Match[str]) -> Number:
    head, scale = _decimal(match["digits"] or "1"), Fraction(10) ** int(match["power"])
    step = None if head.step is None else head.step * scale
    return Number(head.value * scale, step=step, digits=head.digits)


def _fraction(match: re.Match[str]) -> Number | None:
    numerator, denominator = int(match["a"] or match["c"]), int(match["b"] or match["d"])
    whole = match["whole"]
    if denominator == 0 or (whole and (numerator < 0 or denominator < 0)):
        return None
    value = Fraction(numerator, denominator) + int(whole or 0)
    return Number(-value if match["sign"] == "-" else value)


def _repeating(match: re.Match[str]) -> Number:
    head, fixed, period = match["head"], match["fixed"], match["period"]
    tail = Fraction(int(period), (10 ** len(period) - 1) * 10 ** len(fixed))
    value = Fraction(f"{head.lstrip('+-') or 0}.{fixed or 0}") + tail
    return Number(-value if head.startswith("-") else value)


def _based(match: re.Match[str]) -> Number | None:
    base = int(match["base"])
    if not 2 <= base <= 36 or any(int(char, 36) >= base for char in match["digits"]):
        return None
    value = Fraction(int(match["digits"], base))
    return Number(-value if match["sign"] else value)


_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_READERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Number | None]], ...] = tuple(
    (re.compile(pattern, re.ASCII), read)
    for pattern, read in (
        (r"[+-]?(?:\d+\.?\d*|\.\d+)", lambda match: _decimal(match[0])),
        (
            r"(?P<sign>[+-]?)(?P<whole>\d+ ?(?=\\frac)|\d+ (?=\d))?"
            r"(?:\\frac ?\{(?P<a>-?\d+)\} ?\{(?P<b>-?\d+)\}|(?P<c>\d+)/(?P<d>-?\d+))",
            _fraction,
        ),
        (r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?", _grouped(",", ".")),
        (r"[+-]?[1-9]\d?(?:,\d{2})+,\d{3}(?:\.\d+)?", _grouped(",", ".")),  # as India groups
        (r"[+-]?[1-9]\d{0,2}(?: \d{3})+(?:[.,]\d+)?", _grouped(" ", ",")),
        (r"[+-]?[1-9]\d{0,2}(?:'\d{3})+(?:\.\d+)?", _grouped("'", ".")),
        (r"[+-]?[1-9]\d{0,2}(?:(?:\.\d{3})+,\d+|(?:\.\d{3}){2,})", _grouped(".", ",")),
        (r"[+-]?\d+,\d+", lambda match: _decimal(match[0].replace(",", "."), has_comma=True)),
        (r"(?:(?P<digits>[+-]?\d+(?:\.\d*)?)\*)?10\^\{?(?P<power>-?\d{1,2})\}?", _scientific),
        (
            r"(?P<head>[+-]?\d*)\.(?P<fixed>\d*)"
            r"(?:\\overline\{|\\dot\{|\\bar\{|\()(?P<period>\d+)[})](?:…|\.{3})?",
            _repeating,
        ),
        (r"(?P<sign>-?)(?P<digits>\d[\dA-F]*)_\{?(?P<base>\d{1,2})\}?", _based),
    )
)
