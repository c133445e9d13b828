"""Spending adds up; several currencies are never one amount."""

from __future__ import annotations

import pytest

from labeling.domain.costs import Prices
from labeling.domain.spending import Spending, each, total
from labeling.domain.statistics.undefined import Undefined

# 2 million read at 0.5, 0.5 million written at 2, half an hour at 3.6: 1 + 1 + 1.8
WORK = Spending(10, 40, 2_000_000, 500_000, 1800.0)
DOLLARS = WORK.priced(Prices(prompt=0.5, completion=2.0, hour=3.6, currency="USD"))


def test_money_follows_from_tokens_and_hours():
    assert DOLLARS.money == {"USD": pytest.approx(3.8)}
    assert DOLLARS.unpriced == 0


def test_an_engine_without_prices_costs_no_money_and_is_counted():
    free = WORK.priced(Prices())
    assert (free.money, free.unpriced) == ({}, 2_500_000)


def test_currencies_are_added_each_for_itself():
    euros = WORK.priced(Prices(hour=2.0, currency="EUR"))
    every = total([DOLLARS, euros, DOLLARS])
    assert every.money == {"EUR": pytest.approx(1.0), "USD": pytest.approx(7.6)}
    assert (every.items, every.completions, every.tokens) == (30, 120, 7_500_000)
    assert every.seconds == 5400


def test_what_one_label_cost():
    one = each(DOLLARS, 5)
    assert one.money == {"USD": pytest.approx(0.76)}
    assert (one.tokens, one.seconds) == (500_000, 360)
    assert each(DOLLARS, 0).tokens is Undefined.NO_LABELS
