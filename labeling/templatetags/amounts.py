"""Ranges, money and speeds as people say them: never more digits than are known."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import template
from django.utils.translation import get_language, gettext

from labeling.domain.costs import Range
from labeling.templatetags.marks import decimal, duration, thousands

register = template.Library()

_SCALES = {"zh-hans": ((1e8, "亿"), (1e4, "万"))}
_ENGLISH_SCALE = ((1e9, "billion"), (1e6, "million"))
"""Names of large numbers: languages count by different powers, so none translates another."""

_EXACT_BELOW = 1_000_000
_CENTS = 0.01


@register.filter
def amount(value: Range | float | None) -> str:
    """Return "1,234" for a known amount, "2.4 to 3.2 million" for a range."""
    if value is None or value == "":
        return thousands(None)
    if not isinstance(value, Range):
        return _one(value)
    if value.exact:
        return _one(value.low)
    low, high = _rounded(value.low), _rounded(value.high)
    if low == high:
        return gettext("about {amount}").format(amount=high)
    number, _, word = low.partition(" ")
    same = word and high.endswith(word)
    return _between(number if same else low, high)


@register.filter
def money(value: Range | float | None, currency: str = "") -> str:
    """Return "0.42 USD" or "1.10 to 2.20 USD"; a dash where undefined."""
    if value is None or value == "":
        return decimal(None)
    if not isinstance(value, Range):
        return f"{_coins(value)} {currency}"
    low, high = _coins(value.low), _coins(value.high)
    return f"{low} {currency}" if low == high else f"{_between(low, high)} {currency}"


@register.filter
def moneys(amounts: Mapping[str, float]) -> str:
    """Return amounts by currency as "0.42 USD + 1.10 EUR"; a dash without any."""
    if not amounts:
        return decimal(None)
    return " + ".join(f"{_coins(amount)} {currency}" for currency, amount in amounts.items())


@register.filter
def coins(amounts: Mapping[str, float]) -> str:
    """Return what one small thing cost, with two digits that say something: "0.00042 USD"."""
    return " + ".join(f"{amount:.2g} {currency}" for currency, amount in amounts.items())


@register.filter
def price(value: Decimal, currency: str = "") -> str:
    """Return a price without idle digits: "0.15 USD"."""
    return f"{value.normalize():f} {currency}" if value else gettext("none")


@register.filter
def span(value: Range | None) -> str:
    """Return a range of seconds as "10 min to 1 h 40 min"; "not known" where it is not."""
    if value is None or value == "":
        return gettext("not known")
    low, high = duration(value.low), duration(value.high)
    return low if low == high else _between(low, high)


@register.filter
def speed(value: float | None) -> str:
    """Return a number per second with two or three digits that say something."""
    if value is None or value == "":
        return decimal(None)
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


@register.filter
def factor(value: Any) -> str:
    """Return "5.4 ×" or "4.2 to 5.7 ×"; a dash where undefined."""
    if value is None or value == "":
        return decimal(None)
    if not isinstance(value, Range):
        return f"{value:.1f} ×"
    low, high = f"{value.low:.1f}", f"{value.high:.1f}"
    return f"{low} ×" if low == high else f"{_between(low, high)} ×"


def _between(low: str, high: str) -> str:
    return gettext("{low} to {high}").format(low=low, high=high)


def _one(value: float) -> str:
    return f"{value:,.0f}" if value < _EXACT_BELOW else _rounded(value)


def _rounded(value: float) -> str:
    """Return two digits of a number, in words from a million on."""
    for size, word in _SCALES.get(get_language() or "", _ENGLISH_SCALE):
        if value >= size:
            return f"{_two(value / size)} {word}"
    return _two(value)


def _two(value: float) -> str:
    if value < 10:
        return f"{value:.1f}".removesuffix(".0")
    digits = len(str(int(value))) - 2
    return f"{round(value, -digits):,.0f}"


def _coins(value: float) -> str:
    return f"< {_CENTS}" if 0 < value < _CENTS else f"{value:,.2f}"
