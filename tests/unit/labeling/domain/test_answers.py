"""Final answers are found where a reader finds them, and plain comparisons are never wrong."""

from __future__ import annotations

import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.answers import MAX_ANSWER, final_answer, last_boxed, normalize, quick_equal


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


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("1,234", "1234"),
        ("1{,}234", "1234"),
        ("50%", "0.5"),
        (r"50\%", "50 %"),
        (r"\frac12", "0.5"),
        (r"\dfrac{1}{2}", "1/2"),
        (r"-\frac{3}{6}", "-0.5"),
        (r"1\frac{1}{2}", "1.5"),
        ("1 1/2", "3/2"),
        (r"\$5.00", "5"),
        ("5.", "5"),
        (r"90^\circ", "90"),
        ("$x$", "x"),
        (r"\text{Monday}", "monday"),
        (r"\left( 1, 2 \right)", "(1,2)"),
        ("−3", "-3"),
        ("1,22", "1.22"),
        ("1e3", "1000"),
        ("3.54*10^{-7}", "3.54e-07"),
        (r"2 \times 10^3", "2000"),
        ("C", "(C)"),
        ("C", "C. x = 42"),
        ("007", "7"),
    ],
)
def test_equal_answers_are_seen_as_equal(a: str, b: str) -> None:
    assert quick_equal(a, b) is True
    assert quick_equal(b, a) is True


@pytest.mark.parametrize(
    ("a", "b"), [("5", "6"), ("1/3", "1/4"), ("0.5", "0.25"), ("A", "B"), ("A", "(B)")]
)
def test_plain_numbers_and_choices_are_told_apart(a: str, b: str) -> None:
    assert quick_equal(a, b) is False


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("0.333", "1/3"),  # rounded?
        ("50%", "50"),  # a convention
        ("1,2", "2,1"),  # decimals or lists?
        ("1e99999999", "2"),
        ("A. first", "B. second"),
        ("x+1", "1+x"),
        ("10 cm", "10"),
        ("9^{9^9}", "1"),
        ("1/0", "2/0"),
        ("1" * 100, "2" * 100),
        ("", ""),
        ("５", "5"),
    ],
)
def test_what_plain_rules_cannot_say_is_left_open(a: str, b: str) -> None:
    assert quick_equal(a, b) is None


@given(st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12))
def test_integers_are_compared_exactly(a: int, b: int) -> None:
    assert quick_equal(f"{a:,}", str(b)) is (a == b)


@given(st.fractions(max_denominator=10**6), st.fractions(max_denominator=10**6))
def test_fractions_are_compared_exactly(a: Fraction, b: Fraction) -> None:
    sign = "-" if a < 0 else ""
    latex = rf"{sign}\frac{{{abs(a.numerator)}}}{{{a.denominator}}}"
    assert quick_equal(latex, f"{b.numerator}/{b.denominator}") is (a == b)


@given(st.text(max_size=40), st.text(max_size=40))
def test_comparison_is_symmetric(a: str, b: str) -> None:
    assert quick_equal(a, b) == quick_equal(b, a)


@given(st.text(max_size=40))
def test_normal_forms_have_no_outer_white_space(text: str) -> None:
    assert normalize(text) == normalize(text).strip()
