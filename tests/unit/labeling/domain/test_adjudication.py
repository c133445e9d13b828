"""When an adjudicator is wanted, and when a reason is."""

from __future__ import annotations

import pytest

from labeling.domain.adjudication import Cause, cause_of, overrules_all
from labeling.domain.labels import LabelerKind, VerdictState, VerdictView


def view(kind, first_error, by_user=True):
    state = VerdictState.REJECTED if first_error is None else VerdictState.SCORED
    return VerdictView(1, LabelerKind(kind), state, first_error, by_user)


@pytest.mark.parametrize(
    ("views", "cause"),
    [
        ([], None),
        ([view("human", 1)], None),
        ([view("human", 1), view("human", 1)], None),
        ([view("human", 1), view("human", -1)], Cause.DISAGREE),
        ([view("human", 1, by_user=False), view("human", 2, by_user=False)], Cause.DISAGREE),
        # machines' disputes go to annotators first
        ([view("mc", -1), view("judge", 1)], None),
        ([view("human", None)], Cause.REPORTED),
        ([view("human", None), view("human", 2)], Cause.REPORTED),
        # what a data set calls unusable nobody here has reported
        ([view("human", None, by_user=False)], None),
        ([view("human", 1), view("human", 2), view("adjudicator", 2)], None),
        ([view("human", None), view("adjudicator", None)], None),
    ],
)
def test_reports_and_disagreements_of_people_need_an_adjudicator(views, cause):
    assert cause_of(views) is cause
    assert cause_of(views[::-1]) is cause


def test_an_unreadable_verdict_of_an_adjudicator_settles_nothing():
    unread = VerdictView(1, LabelerKind.ADJUDICATOR, VerdictState.UNSCORED, None)
    assert cause_of([view("human", 1), view("human", 2), unread]) is Cause.DISAGREE


def test_a_first_error_that_no_side_has_overrules_all():
    assert overrules_all(3, [1, -1])
    assert not overrules_all(-1, [1, -1])
    assert overrules_all(-1, [])


def test_every_cause_has_words():
    assert {cause.words for cause in Cause} == {
        "reported as bad", "people disagree", "given up",
    }  # fmt: skip
