"""Ranges, money and speeds in words."""

from __future__ import annotations

from decimal import Decimal

import pytest

from labeling.domain.costs import Range
from labeling.templatetags.amounts import amount, factor, money, price, span, speed


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0"), (1234, "1,234"), (999_999, "999,999"), (2_449_000, "2.4 million"),
        (12_600_000_000, "13 billion"),
        (Range(8, 8), "8"), (Range(3.4, 12), "3.4 to 12"), (Range(8_123, 9_876), "8,100 to 9,900"),
        (Range(240_732, 322_117), "240,000 to 320,000"),
        (Range(2_407_732, 3_221_176), "2.4 to 3.2 million"),
        (Range(900_000, 3_221_176), "900,000 to 3.2 million"),
        (Range(9.6e8, 1.2e9), "960 million to 1.2 billion"),
        (Range(100_100, 100_200), "about 100,000"),
    ],
)  # fmt: skip
def test_amounts_have_no_more_digits_than_are_known(value, words):
    assert amount(value) == words


def test_money_is_never_shown_as_nothing_while_it_is_something():
    assert money(0.42, "USD") == "0.42 USD"
    assert money(0.0004, "USD") == "< 0.01 USD"
    assert money(0, "USD") == "0.00 USD"
    assert money(Range(1.1, 2210.449), "EUR") == "1.10 to 2,210.45 EUR"
    assert money(Range(1, 1), "EUR") == "1.00 EUR"


def test_times_and_factors_and_speeds():
    assert span(Range(600, 6000)) == "10 min to 1 h 40 min"
    assert span(Range(60, 60)) == "1 min"
    assert span(None) == "not known"
    assert factor(5.42) == "5.4 ×"
    assert factor(Range(4.22, 5.65)) == "4.2 to 5.7 ×"
    assert (speed(1234.5), speed(12.345), speed(0.01234)) == ("1,234", "12.3", "0.0123")


def test_prices_have_no_idle_digits():
    assert price(Decimal("0.1500"), "USD") == "0.15 USD"
    assert price(Decimal("40.0000"), "EUR") == "40 EUR"
    assert price(Decimal("0.0000"), "EUR") == "none"


@pytest.mark.parametrize("show", [amount, money, factor, speed])
def test_what_is_not_defined_is_a_dash_that_says_so(show):
    assert "not defined" in show(None)
    assert "not defined" in show("")  # what templates make of a missing key
