"""Tell from its text alone that an answer would take too long to compute.

An estimate, not a proof: what passes is still computed under hard limits (workers.grading).
"""

from __future__ import annotations

import math
import re

MAX_PIECE = 800
"""Longer pieces are not computed, in characters."""

MAX_PARENTHESES = 12
"""Nesting of ( and [: the LaTeX parser's time doubles with every few levels."""

MAX_NESTING = 40
"""Nesting of any brackets and braces."""

MAX_BARS = 12
"""Signs "|": the LaTeX parser tries every way to pair them."""

MAX_LOG10 = 20_000.0
"""Digits of the largest value that is computed."""


def is_too_big(text: str) -> bool:
    """Say whether a normal form (notation.normalize) is too long, too deep or too large."""
    if len(text) > MAX_PIECE or text.count("|") > MAX_BARS or _BUILDERS.search(text):
        return True
    return _is_too_deep(text) or _Size(text).total() > MAX_LOG10


def _is_too_deep(text: str) -> bool:
    depth = parentheses = 0
    for char in text:
        depth += (char in "([{") - (char in ")]}")
        parentheses += (char in "([") - (char in ")]")
        if depth > MAX_NESTING or parentheses > MAX_PARENTHESES:
            return True
    return False


class _Size:
    """A rough upper bound of log10 of the value: products add, a sum counts as a product.

    "^" after the limits of a sum or product
    (\\sum_{n=1}^{10^9}) counts as a power too, which bounds its terms.
    """

    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text)
        self._at = 0

    def total(self) -> float:
        """Return the bound for everything up to the end or a closing bracket."""
        total = last = 0.0
        while self._at < len(self._tokens):
            sign = self._next()
            if sign in ")]}":
                break
            if sign in ("^", "!"):
                grown = min(last * _power(self._exponent() if sign == "^" else last), 10**_HUGE)
                total, last = total - last + grown, grown
            else:
                number = self._operand() if sign == r"\binom" else 0.0
                last = number * _power(number) or self._log10(sign)
                total += last
        return total

    def _exponent(self) -> float:
        """Return the bound of "b" in "a^b", of "b^c" in "a^b^c"."""
        floors = [self._operand()]
        while self._at < len(self._tokens) and self._tokens[self._at] == "^":
            self._at += 1
            floors.append(self._operand())
        bound = floors.pop()
        while floors:
            bound = floors.pop() * _power(bound)
        return bound

    def _operand(self) -> float:
        return self._log10(self._next()) if self._at < len(self._tokens) else 0.0

    def _next(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1]

    def _log10(self, sign: str) -> float:
        if sign in "([{":
            return self.total()
        if sign[0].isdigit():
            return math.log10(float(sign) + 1) if len(sign) < 300 else float(len(sign))
        return _LETTER if sign[0].isalpha() else 0.0


def _power(exponent: float) -> float:
    return float(10 ** min(exponent, _HUGE))


_HUGE = 12.0
_LETTER = 0.5  # variables are tried at numbers of about 3 (workers.symbolic)
_BUILDERS = re.compile(r"\\operatorname\{(?:zeros|ones|diag|[hv]stack)\}")  # of the parser alone
_TOKEN = re.compile(r"\d+(?:\.\d+)?|\\[A-Za-z]+|[\^!()\[\]{}]|[^\W\d_]", re.ASCII)
