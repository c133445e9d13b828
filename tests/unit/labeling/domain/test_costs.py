"""Ranges, prices and estimates, with values derived by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.costs import NOTHING, Prices, Range, Speed, Workload, estimate, total

amounts = st.floats(0, 1e9)
ranges = st.builds(lambda a, b: Range(min(a, b), max(a, b)), amounts, amounts)

WORK = Workload(
    items=100,
    completions=Range(400, 800),
    prompt_tokens=Range(1_000_000, 2_000_000),
    completion_tokens=Range(50_000, 100_000),
    exhaustive=3200,
    assumptions=("As told.",),
)
PRICES = Prices(prompt=0.5, completion=2.0, hour=3.6, currency="EUR")


@given(ranges, ranges, st.floats(0, 1000))
def test_sums_and_products_of_ranges_hold_those_of_their_ends(one, other, factor):
    assert (one + other).low == one.low + other.low
    assert (one * factor).high == one.high * factor
    assert (one * other).low == one.low * other.low
    cut = one.at_most(factor)
    assert cut.low <= cut.high <= factor


@given(st.floats(0, 1e6), st.floats(0, 3))
def test_a_value_give_or_take_a_share_holds_the_value_and_is_never_negative(value, share):
    found = Range.about(value, share)
    assert 0 <= found.low <= value <= found.high


def test_a_range_the_wrong_way_round_is_no_range():
    with pytest.raises(ValueError, match="from 2 to 1"):
        Range(2, 1)


def test_time_follows_the_measured_completion_tokens_and_money_follows_both():
    found = estimate(WORK, PRICES, Speed(completion_tokens=100.0, items=1.0))
    # 50,000 and 100,000 tokens at 100 a second
    assert found.seconds == Range(500, 1000)
    # low: 1 M · 0.5 + 0.05 M · 2 + 500 s · 0.001 = 1.1; high: 1.0 + 0.2 + 1.0 = 2.2
    assert (found.money.low, found.money.high) == (pytest.approx(1.1), pytest.approx(2.2))
    assert found.saving == Range(4, 8)
    assert found.assumptions[0] == "As told."
    assert "100 completion tokens" in found.assumptions[1]
    assert "0.5 and 2 EUR per million" in found.assumptions[2]


def test_an_engine_that_never_worked_leaves_time_unknown_and_says_that_hours_are_missing():
    found = estimate(WORK, PRICES, None)
    assert found.seconds is None
    assert (found.money.low, found.money.high) == (pytest.approx(0.6), pytest.approx(1.2))
    assert any("time is not known" in words for words in found.assumptions)
    assert any("hours are not in the price" in words for words in found.assumptions)


def test_work_without_completions_takes_its_time_from_items():
    work = Workload(60, NOTHING, Range(10, 20), NOTHING)
    found = estimate(work, Prices(), Speed(completion_tokens=0.0, items=2.0))
    assert found.seconds == Range(30, 30)
    assert found.saving is None
    assert "This engine has no prices." in found.assumptions


def test_nothing_to_do_takes_no_time_and_no_money():
    found = estimate(Workload(0, NOTHING, NOTHING, NOTHING), PRICES, None)
    assert (found.seconds, found.money) == (NOTHING, NOTHING)


def test_what_was_spent_has_one_price():
    # 2 M · 0.5 + 1 M · 2 + 1 h · 3.6
    assert PRICES.spent(2_000_000, 1_000_000, 3600) == pytest.approx(6.6)
    assert Prices().free
    assert not PRICES.free


def test_runs_together_cost_their_sum_and_say_each_assumption_once():
    found = total([estimate(WORK, PRICES, Speed(100.0, 1.0))] * 2)
    assert found.work.completions == Range(800, 1600)
    assert found.work.exhaustive == 6400
    assert found.seconds == Range(1000, 2000)
    assert (found.money.low, found.currency) == (pytest.approx(2.2), "EUR")
    assert found.assumptions.count("As told.") == 1
    assert found.saving == Range(4, 8)


def test_an_unknown_time_stays_unknown_and_two_currencies_are_not_added():
    known, unknown = estimate(WORK, PRICES, Speed(100.0, 1.0)), estimate(WORK, PRICES, None)
    assert total([known, unknown]).seconds is None
    dollars = estimate(WORK, Prices(prompt=1.0), None)
    free = estimate(WORK, Prices(), None)
    assert total([known, dollars]).money is None
    assert total([free, known]).currency == "EUR"
