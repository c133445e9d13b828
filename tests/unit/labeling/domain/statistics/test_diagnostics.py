"""The paper's diagnostics on counts."""

from __future__ import annotations

import pytest

from labeling.domain.statistics.confusion import Confusion
from labeling.domain.statistics.diagnostics import (
    ErrorKind,
    GroupNoise,
    error_kind,
    minimum_is_last,
    noise,
    retention,
    step_noise,
)
from labeling.domain.statistics.intervals import Proportion
from labeling.domain.statistics.undefined import Undefined


def test_retention_counts_refuted_solutions_as_compared_and_not_kept():
    table = Confusion({(-1, -1): 30, (2, 2): 10, (2, 3): 20})
    assert retention(table) == Proportion(40, 60)
    assert retention(table, refuted=40) == Proportion(40, 100)


@pytest.mark.parametrize(
    ("said", "true", "kind"),
    [
        (-1, -1, ErrorKind.RIGHT),
        (3, 3, ErrorKind.RIGHT),
        (1, 3, ErrorKind.EARLY),
        (0, 1, ErrorKind.EARLY),
        (4, 3, ErrorKind.LATE),
        (-1, 0, ErrorKind.MISSED),
        (0, -1, ErrorKind.FALSE_ALARM),
    ],
)
def test_an_error_kind_follows_from_what_was_said_and_what_is_true(said, true, kind):
    assert error_kind(said, true) is kind


@pytest.mark.parametrize(
    ("scores", "last"),
    [
        ([0.9, 0.8, 0.3], True),
        ([0.9, 0.3, 0.8], False),
        ([0.9, 0.3, 0.3], False),  # of equal minima the first counts
        ([0.9], None),
        ([], None),
    ],
)
def test_the_minimum_is_last_only_alone(scores, last):
    assert minimum_is_last(scores) is last


def test_noise_keeps_the_order_of_groups_and_those_without_checked_labels():
    rates = noise({"gsm8k": (3, 50), "math": (4, 10), "x": (0, 0)})
    assert rates[:2] == [
        GroupNoise("gsm8k", Proportion(3, 50)),
        GroupNoise("math", Proportion(4, 10)),
    ]
    assert rates[2].wrong.value is Undefined.NOTHING_COMPARED


def test_steps_are_wrong_where_both_judged_and_differ():
    assert step_noise((1, 1, -1, None), (1, -1, None, 1)) == {0: False, 1: True}
