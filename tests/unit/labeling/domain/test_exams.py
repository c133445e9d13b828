"""Passing the exam, as a rule over counts."""

from __future__ import annotations

import pytest

from labeling.domain.exams import Standing


@pytest.mark.parametrize(
    ("required", "answered", "right", "passed", "failed"),
    [
        (0, 0, 0, True, False),  # no exam
        (10, 9, 9, False, False),  # one is left, whatever comes
        (10, 10, 8, True, False),  # 8 of 10 are 0.8
        (10, 10, 7, False, True),
        (3, 3, 2, False, True),  # 2 of 3 are less than 0.8
        (3, 3, 3, True, False),
        (10, 0, 0, False, False),
    ],
)
def test_the_exam_is(required, answered, right, passed, failed):
    standing = Standing(required, answered, right, pass_share=0.8)
    assert (standing.passed, standing.failed) == (passed, failed)


def test_what_is_left_is_never_negative():
    assert Standing(2, 3, 3, 0.5).left == 0
    assert Standing(5, 3, 3, 0.5).left == 2


@pytest.mark.parametrize("share", [0.1, 0.3, 0.55, 0.6, 0.7, 0.8, 0.9])
@pytest.mark.parametrize("required", [20, 40, 100])
def test_the_exact_share_passes(share, required):
    right = round(share * required)
    assert Standing(required, required, right, share).passed
    assert Standing(required, required, right - 1, share).failed
