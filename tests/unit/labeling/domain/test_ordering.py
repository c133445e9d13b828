"""The queue's order and the number of people wanted."""

from __future__ import annotations

import math
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.consensus import DecisionState as D
from labeling.domain.labels import LabelerKind as K
from labeling.domain.labels import VerdictState as V
from labeling.domain.labels import VerdictView
from labeling.domain.ordering import doubt, give_up_limit, place, places

probabilities = st.lists(st.floats(0, 1), max_size=30)
REFUTED = "refuted"


def view(number: int, kind: K, first_error, *, by_user: bool = False) -> VerdictView:
    if first_error is None:
        return VerdictView(number, kind, V.UNSCORED, None)
    if first_error == REFUTED:
        return VerdictView(number, kind, V.REFUTED, None)
    return VerdictView(number, kind, V.SCORED, first_error, by_user)


def machines(mc, judge) -> list[VerdictView]:
    return [view(1, K.MC, mc), view(2, K.JUDGE, judge)]


@pytest.mark.parametrize(
    ("correct", "mc", "judge", "expected"),
    [
        (True, -1, 2, 40),  # a flawed process behind a right answer: the judge alone sees it
        (False, -1, 2, 20),  # the answer is wrong, so MC's "no error" says little
        (None, -1, 2, 20),
        (True, 1, 2, 30),  # both see an error, elsewhere
        (False, 0, 3, 30),
        (True, 2, -1, 20),  # MC alone claims an error
        (False, 2, -1, 20),
        (True, 1, 1, 20),  # they agree: people disagree
        (True, None, 2, 10),  # one of them says nothing
        (True, 2, None, 10),
        (True, REFUTED, 2, 10),  # a refutation names no first error
    ],
)
def test_a_dispute_is_worth(correct, mc, judge, expected):
    assert place(D.DISPUTED, machines(mc, judge), correct) == expected


@pytest.mark.parametrize("state", [state for state in D if state is not D.DISPUTED])
def test_only_disputes_have_a_place(state):
    assert place(state, machines(-1, 2), True, [0.5, 0.5]) == 0


def test_the_latest_verdict_of_a_kind_counts_whatever_the_order():
    views = [view(1, K.MC, 0), view(3, K.MC, -1), view(2, K.JUDGE, 2), view(5, K.JUDGE, None)]
    for shuffled in permutations(views):
        assert place(D.DISPUTED, shuffled, True) == 40


def test_a_dispute_without_machines_has_the_least_value():
    assert place(D.DISPUTED, [view(1, K.HUMAN, 1), view(2, K.HUMAN, 2)], True) == 10


def test_the_champions_doubt_orders_disputes_of_equal_value():
    sure, torn = [0.99, 0.99], [0.5, 0.5]
    assert place(D.DISPUTED, machines(-1, 1), True, sure) == 41
    # first error at 0: 1/2, at 1: 1/4, none: 1/4. 1.0397 of ln 3 = 1.0986: 0.946 * 9 = 8.5
    assert place(D.DISPUTED, machines(-1, 1), True, torn) == 49


@given(probabilities)
def test_doubt_never_bridges_two_values(scores):
    assert 30 <= place(D.DISPUTED, machines(1, 2), True, scores) <= 39


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([], 0.0),
        ([1.0, 1.0], 0.0),  # certain: no error
        ([1.0, 0.0], 0.0),  # certain: the second step
        ([0.5], 1.0),  # error or none, each 1/2: ln 2 of ln 2
        ([2 / 3, 1 / 2], 1.0),  # 1/3 each
        ([0.5, 0.5], 1.5 * math.log(2) / math.log(3)),
        ([0.5, None], 0.0),  # a step without a score: nothing can be said
    ],
)
def test_doubt_is_the_entropy_of_the_first_error(scores, expected):
    assert doubt(scores) == pytest.approx(expected, abs=1e-12)


@given(st.lists(st.floats(-1, 2) | st.none(), max_size=30))
def test_doubt_is_a_share(scores):
    assert 0 <= doubt(scores) <= 1


@pytest.mark.parametrize(
    ("views", "overlap", "wanted"),
    [
        ([], 1, 1),
        (machines(-1, 2), 2, 2),
        ([view(1, K.HUMAN, 1, by_user=True)], 1, 0),
        ([view(1, K.HUMAN, 1, by_user=True)], 3, 2),
        ([view(1, K.HUMAN, 1)], 1, 1),  # an imported label is nobody's of this project
        ([view(i, K.HUMAN, i, by_user=True) for i in range(3)], 2, 0),
        ([view(1, K.HUMAN, None, by_user=True)], 1, 1),
        ([view(1, K.ADJUDICATOR, 1, by_user=True)], 5, 0),
        ([view(1, K.ADJUDICATOR, None, by_user=True)], 5, 5),
    ],
)
def test_people_are_wanted_until_the_overlap_is_reached(views, overlap, wanted):
    assert places(views, overlap) == wanted


def test_a_rejection_takes_a_place_too():
    views = [VerdictView(1, K.HUMAN, V.REJECTED, None, by_user=True)]
    assert places(views, 2) == 1


def test_two_more_than_the_overlap_may_give_up():
    assert [give_up_limit(overlap) for overlap in (1, 3)] == [3, 5]
