from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.agreement import compare, quality

pairs = st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 4)), max_size=40)


def test_agreement_counts_each_relation():
    seen = compare([(-1, -1), (2, 2), (2, 3), (1, -1), (-1, 0), (-1, -1)])
    assert (seen.both_right, seen.same_error, seen.different_error) == (2, 1, 1)
    assert (seen.only_first, seen.only_second, seen.n) == (1, 1, 6)
    assert seen.exact == pytest.approx(3 / 6)
    # has an error: first 3 of 6, second 3 of 6; agree on 4 of 6; pe = .5 -> (2/3 - 1/2) / (1/2)
    assert seen.cohen_kappa == pytest.approx(1 / 3)


def test_agreement_over_nothing_is_undefined():
    assert compare([]).exact is None
    assert compare([]).cohen_kappa is None
    assert compare([(-1, -1)]).cohen_kappa is None  # pe = 1


@given(pairs)
def test_agreement_counts_add_up_and_mirror(seen):
    there, back = compare(seen), compare([(b, a) for a, b in seen])
    assert there.n == len(seen) == sum(
        (there.both_right, there.same_error, there.different_error, there.only_first,
         there.only_second)
    )  # fmt: skip
    assert (there.only_first, there.only_second) == (back.only_second, back.only_first)
    assert there.exact == back.exact


def test_quality_against_the_truth():
    # (said, true): 2 truly right, one called wrong; 3 truly wrong, one called right, one misplaced
    measured = quality([(-1, -1), (0, -1), (-1, 2), (1, 2), (3, 3)])
    assert measured.exact == pytest.approx(2 / 5)
    assert measured.wrong_called_right == pytest.approx(1 / 3)
    assert measured.right_called_wrong == pytest.approx(1 / 2)
    assert quality([]).exact is None
