"""People against keys: outcomes, accuracy, pace, doubts, blocks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.quality import (
    FEWEST_SHOWN,
    Accuracy,
    Outcome,
    Pace,
    is_doubtful,
    outcome,
    settled_block,
)
from labeling.domain.statistics.confusion import Confusion
from labeling.domain.statistics.intervals import Proportion

first_errors = st.integers(-1, 6)


@pytest.mark.parametrize(
    ("said", "key", "expected"),
    [
        (-1, -1, Outcome.EXACT),
        (3, 3, Outcome.EXACT),
        (4, 3, Outcome.LATE),
        (0, 3, Outcome.EARLY),
        (-1, 0, Outcome.MISSED),
        (0, -1, Outcome.FALSE_ALARM),
    ],
)
def test_an_outcome_has_a_name(said, key, expected):
    assert outcome(said, key) is expected


def test_accuracy_counts_exact_near_and_each_kind_of_error():
    # exact: 2→2, none→none; late by one: 3→2; early by two: 0→2; missed: none→1; alarm: 1→none
    pairs = [(2, 2), (-1, -1), (3, 2), (0, 2), (-1, 1), (1, -1)]
    found = Accuracy(Confusion.of(pairs))
    assert found.exact == Proportion(2, 6)
    assert found.within_one == Proportion(3, 6)
    assert found.outcomes == {
        Outcome.EXACT: 2,
        Outcome.LATE: 1,
        Outcome.EARLY: 1,
        Outcome.MISSED: 1,
        Outcome.FALSE_ALARM: 1,
    }


@given(st.lists(st.tuples(first_errors, first_errors)))
def test_the_outcomes_add_up_and_exact_is_one_of_them(pairs):
    found = Accuracy(Confusion.of(pairs))
    assert sum(found.outcomes.values()) == found.exact.whole == len(pairs)
    assert found.outcomes[Outcome.EXACT] == found.exact.part <= found.within_one.part


def test_shares_of_the_work_have_their_own_wholes():
    pace = Pace(submitted=8, rejected=2, skipped=2, given_up=1, timed=6, too_fast=3)
    assert (pace.skips, pace.gave_up) == (Proportion(2, 10), Proportion(1, 10))
    assert (pace.reports, pace.fast) == (Proportion(2, 8), Proportion(3, 6))


@pytest.mark.parametrize(
    ("answers", "key", "doubtful"),
    [
        ({2: 1, 3: 2}, 2, True),  # one of three agrees
        ({2: 2, 3: 2}, 2, False),  # half agree
        ({3: 2}, 2, False),  # two answers are too few
        ({None: 3}, 2, True),  # all reported it
        ({3: 5}, None, False),  # no key to doubt
    ],
)
def test_a_key_is_doubtful_once_most_disagree(answers, key, doubtful):
    assert is_doubtful(answers, key) is doubtful


@pytest.mark.parametrize(("answers", "counted"), [(9, 0), (10, 10), (19, 10), (20, 20)])
def test_ones_own_accuracy_grows_by_whole_blocks(answers, counted):
    assert FEWEST_SHOWN == 10
    assert settled_block([(1, 1)] * answers).exact.whole == counted


def test_the_newest_answers_wait_for_their_block():
    pairs = [(1, 1)] * 10 + [(0, 1)] * 9
    assert settled_block(pairs).exact == Proportion(10, 10)
