"""Final answers are found where a reader finds them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.answers import MAX_ANSWER, final_answer, last_boxed


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"so \boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        (r"\boxed{3}, no: \boxed{4}.", "4"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\boxed {7}", "7"),
        (r"\boxed{1}, \boxed{2} and $\boxed{3}$", "1, 2, 3"),
        (r"\boxed{1} \quad \text{or} \quad \boxed{2}", "1, 2"),
        (r"\boxed{9} is wrong. \boxed{1}, \boxed{2}", "1, 2"),
        (r"\boxed{1} papers and \boxed{2} bins", "1, 2"),
        (r"\( y_1 = \boxed{2x} \) and \( y_2 = \boxed{3x} \)", "2x, 3x"),
        (r"\boxed{5}" + "\n\n" + r"\boxed{5}", "5"),
        (r"first \boxed{17}, but the correct value is \boxed{18}", "18"),
        (r"\boxed{1} was too small, so I tried more and \boxed{2}", "2"),
        (r"\fbox{7}", "7"),
        (r"The answer is 3. I box it: \boxed{5}", "5"),
        (r"\boxed{5}. The answer is correct", "5"),
        (r"The final answer is: $\boxed{5}$.", "5"),
        ("x = 4\n#### 1,234", "1,234"),
        ("Answer: 5\n\n", "5"),
        ("Answer: 3\n\nAnswer: 5\n\n", "5"),
        ("**Answer:** 5", "5"),
        ("Answer:\n5", "5"),
        ("Final answer = $x^2$", "x^2"),
        ("**The answer is:** 18.", "18"),
        ("So the answer is 3.5 apples. Done.", "3.5 apples"),
        ("the answer is $5.$", "5"),
        ("The answer is \\(\\pi\\)", "\\pi"),
    ],
)
def test_the_stated_answer_is_found(text: str, answer: str) -> None:
    assert final_answer(text) == answer


@pytest.mark.parametrize(
    "text",
    ["", "nothing here", "x = 5", r"The answer is \boxed{5", "Answer:", r"\boxed{}", "I answer: "],
)
def test_no_answer_is_invented(text: str) -> None:
    assert final_answer(text) is None


def test_an_unclosed_box_does_not_hide_an_earlier_complete_one() -> None:
    assert final_answer(r"\boxed{5} so \boxed{6") == "5"


def test_a_long_hostile_text_is_searched_in_bounded_time() -> None:
    began = time.monotonic()
    assert last_boxed(r"\boxed{" * 20_000) is None
    assert final_answer("answer is " * 20_000) is None  # longer than any answer
    assert time.monotonic() - began < 3


@given(st.text())
def test_any_text_is_searched_without_an_error(text: str) -> None:
    answer = final_answer(text)
    assert answer is None or (answer and len(answer) <= MAX_ANSWER)
