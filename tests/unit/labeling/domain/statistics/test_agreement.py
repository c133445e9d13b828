from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.statistics.agreement import compare, quality
from labeling.domain.statistics.confusion import Confusion
from labeling.domain.statistics.undefined import Undefined, known, share
from tests.unit.labeling.domain.statistics.sides import mirrored

pairs = st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 4)), max_size=40)


def test_agreement_counts_each_relation():
    seen = compare(Confusion.of([(-1, -1), (2, 2), (2, 3), (1, -1), (-1, 0), (-1, -1)]))
    assert (seen.both_right, seen.same_error, seen.different_error) == (2, 1, 1)
    assert (seen.only_first, seen.only_second, seen.n) == (1, 1, 6)
    assert seen.exact == pytest.approx(3 / 6)
    # has an error: first 3 of 6, second 3 of 6; agree on 4 of 6; pe = .5 -> (2/3 - 1/2) / (1/2)
    assert seen.cohen_kappa == pytest.approx(1 / 3)


def test_agreement_over_nothing_is_undefined_for_a_reason():
    assert compare(Confusion({})).exact is Undefined.NOTHING_COMPARED
    assert compare(Confusion({})).cohen_kappa is Undefined.NOTHING_COMPARED
    # pe = 1
    assert compare(Confusion({(-1, -1): 1})).cohen_kappa is Undefined.ONE_CATEGORY


@given(pairs)
def test_agreement_counts_add_up_and_mirror(seen):
    table = Confusion.of(seen)
    there, back = compare(table), compare(mirrored(table))
    assert there.n == len(seen) == sum(
        (there.both_right, there.same_error, there.different_error, there.only_first,
         there.only_second)
    )  # fmt: skip
    assert (there.only_first, there.only_second) == (back.only_second, back.only_first)
    assert there.exact == back.exact
    assert there.cohen_kappa == back.cohen_kappa


def test_quality_against_the_truth():
    # (said, true): 2 truly right, one called wrong; 3 truly wrong, one called right, one misplaced
    measured = quality(Confusion.of([(-1, -1), (0, -1), (-1, 2), (1, 2), (3, 3)]))
    assert measured.exact == pytest.approx(2 / 5)
    assert measured.wrong_called_right == pytest.approx(1 / 3)
    assert measured.right_called_wrong == pytest.approx(1 / 2)
    assert quality(Confusion({})).exact is Undefined.NOTHING_COMPARED


def test_files_get_no_reason_but_nothing():
    assert known(share(1, 4)) == 0.25
    assert known(share(0, 0)) is None
