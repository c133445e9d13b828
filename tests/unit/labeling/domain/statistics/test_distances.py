"""Distances of first errors, with "no error" never at a distance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.statistics.confusion import Confusion
from labeling.domain.statistics.distances import distances, within_statistic
from labeling.domain.statistics.intervals import Proportion
from labeling.domain.statistics.tables import evaluate
from labeling.domain.statistics.undefined import Undefined
from tests.unit.labeling.domain.statistics.sides import mirrored

FOUND = distances(
    Confusion({(-1, -1): 4, (0, -1): 1, (-1, 0): 2, (3, 3): 3, (5, 3): 1, (1, 2): 2, (0, 4): 1})
)


def test_distances_are_signed_and_count_none_beside():
    assert FOUND.signed == {-4: 1, -1: 2, 0: 3, 2: 1}
    assert FOUND.absolute == {0: 3, 1: 2, 2: 1, 4: 1}
    assert (FOUND.both_none, FOUND.only_first, FOUND.only_second) == (4, 1, 2)
    assert (FOUND.both_errors, FOUND.total) == (7, 14)


def test_no_error_is_not_near_an_error_in_the_first_step():
    # (0, -1) and (-1, 0) are not within one step: 4 without error + 3 + 2
    assert FOUND.within(1) == Proportion(9, 14)
    assert FOUND.within(0) == Proportion(7, 14)


def test_mean_distances_are_over_errors_that_both_found():
    # (-4 - 1 - 1 + 0 + 0 + 0 + 2) / 7 and (4 + 1 + 1 + 2) / 7
    assert FOUND.mean == pytest.approx(-4 / 7)
    assert FOUND.mean_absolute == pytest.approx(8 / 7)


def test_means_are_undefined_where_both_never_found_an_error():
    alone = distances(Confusion({(-1, 2): 3, (-1, -1): 1}))
    assert alone.mean is Undefined.NO_TWO_ERRORS
    assert alone.mean_absolute is Undefined.NO_TWO_ERRORS


@given(st.lists(st.tuples(st.integers(-1, 9), st.integers(-1, 9)), max_size=40))
def test_counts_add_up_and_the_other_side_mirrors_them(pairs):
    table = Confusion.of(pairs)
    there, back = distances(table), distances(mirrored(table))
    assert there.total == len(pairs)
    assert {-d: n for d, n in there.signed.items()} == dict(back.signed)
    assert there.within(0).part == table.same
    assert there.within(100).part == len(pairs) - there.only_first - there.only_second


@given(st.lists(st.tuples(st.integers(-1, 6), st.integers(-1, 6)), min_size=1, max_size=40))
def test_the_share_within_one_step_is_the_same_of_a_table(pairs):
    table = Confusion.of(pairs)
    statistic = within_statistic(table.categories, 1, none=-1)
    assert evaluate(statistic, table.units().table()) == pytest.approx(
        distances(table).within(1).value
    )
