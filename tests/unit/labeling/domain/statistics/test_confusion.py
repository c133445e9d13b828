"""Tables of two labelers: counting, coding, and the steps of whole solutions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.labels import labels_up_to
from labeling.domain.statistics.confusion import (
    Confusion,
    CountError,
    StepConfusion,
    has_error,
    none_last,
    step_pattern,
)

first_errors = st.lists(st.tuples(st.integers(-1, 5), st.integers(-1, 5)), max_size=30)


def test_a_table_counts_pairs_and_forgets_empty_cells():
    table = Confusion.of([(0, 1), (0, 1), (2, 2)])
    assert table.cells == {(0, 1): 2, (2, 2): 1}
    assert (table.total, table.same, table.categories) == (3, 1, (0, 1, 2))
    assert Confusion({(0, 0): 0, (1, 1): 4}) == Confusion({(1, 1): 4})


def test_a_count_below_zero_is_refused():
    with pytest.raises(CountError):
        Confusion({(0, 0): -1})


def test_first_errors_are_coded_as_an_error_or_none():
    coded = Confusion({(-1, -1): 5, (2, 2): 3, (2, 4): 2, (0, -1): 1}).recoded(has_error)
    assert coded.cells == {(0, 0): 5, (1, 1): 5, (1, 0): 1}


def test_no_error_ranks_after_every_step_that_either_names():
    assert none_last(Confusion({(-1, 3): 1, (0, -1): 2})).cells == {(4, 3): 1, (0, 4): 2}
    assert none_last(Confusion({(-1, -1): 1})).cells == {(0, 0): 1}
    assert none_last(Confusion({})).cells == {}


@given(first_errors)
def test_a_table_rebuilds_from_its_units(pairs):
    table = Confusion.of(pairs)
    dense, places = table.units().table(), table.categories
    rebuilt = {(a, b): int(dense[i, j]) for i, a in enumerate(places) for j, b in enumerate(places)}
    assert Confusion(rebuilt) == table


def test_steps_that_one_did_not_judge_drop_out():
    # first error 2 of 5 steps, and none: both judged steps 0, 1 (agreed) and 2 (not)
    assert step_pattern(labels_up_to(2, 5), labels_up_to(-1, 5)) == ((-1, 1, 1), (1, 1, 2))
    assert step_pattern((None, None), (1, 1)) == ()


def test_step_labels_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="zip"):
        step_pattern((1, 1), (1,))


def test_steps_of_solutions_add_up_and_empty_ones_do_not_count():
    # 10 solutions with 2 agreed right steps and 1 disputed; 4 with 3 agreed; 2 without any
    counted = StepConfusion({((-1, 1, 1), (1, 1, 2)): 10, ((1, 1, 3),): 4, (): 2})
    assert counted.table().cells == {(-1, 1): 10, (1, 1): 32}
    assert counted.solutions == 14
    assert counted.units().table().tolist() == [[0, 10], [0, 32]]
    assert sorted(counted.units().counts.tolist()) == [4, 10]
