"""Plain rules decide what they can, ask about the rest, and hold as equality should.

The conventions themselves are in tests/unit/workers/grading_conventions.py.
"""

from __future__ import annotations

import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.answers import MAX_ANSWER, equal, final_answer
from labeling.domain.answers.equality import MAX_ITEMS
from labeling.domain.answers.notation import normalize

LATEX = st.lists(
    st.sampled_from(
        [*string.digits, *"xyzABei+-*/=<>^_{}()[]|,;.:!%$&' ", "\\frac", "\\sqrt", "\\text{",
         "\\\\",
         "\\{", "\\}", "\\left(", "\\pm", "\\cup", "\\in", "\\approx", "\\le", "\\boxed{", "and",
         "\\begin{pmatrix}", "\\end{pmatrix}", "is", "cm", "½", "²", "√", "∞", "𝑥", "\ud800", "\0"]
    ),
    max_size=40,
).map("".join)  # fmt: skip


class Asked:
    """Answers every question alike, and remembers them."""

    def __init__(self, answer: bool | None) -> None:
        self.answer, self.questions = answer, list[tuple[str, str]]()

    def __call__(self, gold: str, prediction: str) -> bool | None:
        self.questions.append((gold, prediction))
        return self.answer


@pytest.mark.parametrize(
    ("gold", "prediction", "questions"),
    [
        ("x+1", "1+x", [("x+1", "1+x")]),
        ("(1, x+1)", "(1, 1+x)", [("x+1", "1+x")]),
        ("y = x+1", "1+x", [("x+1", "1+x")]),
        ("[x+1, 5)", "[1+x, 5)", [("x+1", "1+x")]),
        (r"x+1\text{ cm}", "1+x", [("x+1", "1+x")]),
        ("a+b=2", "2b+2a=4", [("a+b=2", "2b+2a=4")]),
    ],
)
def test_only_what_rules_cannot_say_is_asked(
    gold: str, prediction: str, questions: list[tuple[str, str]]
) -> None:
    for answer in (True, False, None):
        asked = Asked(answer)
        assert equal(gold, prediction, asked) is answer
        assert asked.questions == questions


@pytest.mark.parametrize(
    ("gold", "prediction"),
    [("5", "6"), ("(1, x+1)", "(2, 1+x)"), ("x+1", "Monday evening"), ("(x,1)", "[1+x,1]"),
     ("5", "(1,2)"), ("x=5", "y=5"), ("", "x+1")],
)  # fmt: skip
def test_what_differs_plainly_is_not_asked(gold: str, prediction: str) -> None:
    asked = Asked(True)
    assert equal(gold, prediction, asked) is False
    assert asked.questions == []


def test_unordered_items_are_paired_off_whatever_is_undecided() -> None:
    assert equal("1, 2, x+1", "1+x, 2, 1", Asked(True)) is True
    assert equal("1, 2, x+1", "1+x, 2, 1", Asked(None)) is None
    assert equal("1, 2, x+1", "1+x, 2, 3", Asked(None)) is None
    assert equal("1, 2, 3", "1, 2, 4", Asked(None)) is False


def test_long_lists_are_compared_in_order_only() -> None:
    items = [str(number) for number in range(MAX_ITEMS + 1)]
    assert equal(", ".join(items), ",".join(items)) is True
    assert equal(", ".join(items), ", ".join(reversed(items))) is False
    assert equal(", ".join(items[1:]), ", ".join(reversed(items[1:]))) is True


def test_what_is_too_long_to_be_an_answer_equals_only_itself() -> None:
    text = "1" * (MAX_ANSWER + 1)
    assert equal(text, text) is True
    assert equal(text, text + "1") is False


@given(st.text(max_size=60) | LATEX)
def test_equality_is_reflexive(text: str) -> None:
    if normalize(final_answer(text) or text).strip("≈"):
        assert equal(text, text) is True


@given(LATEX, LATEX)
def test_equality_is_symmetric_but_for_relations(a: str, b: str) -> None:
    if not any(sign in normalize(text) for text in (a, b) for sign in "=<>≤≥≠∈≈"):
        assert equal(a, b) == equal(b, a)


@given(st.text(max_size=MAX_ANSWER) | LATEX, LATEX)
def test_no_text_raises(a: str, b: str) -> None:
    assert equal(a, b) in (True, False, None)


NUMBERS = st.integers(-999, 999).map(str) | st.fractions(-9, 9, max_denominator=99).map(str)


@given(st.lists(NUMBERS, min_size=3, max_size=6), st.lists(NUMBERS, min_size=3, max_size=6))
def test_different_numbers_are_never_one_in_any_shape(a: list[str], b: list[str]) -> None:
    for shape in ("({})", r"\{{{}\}}", "[{}]", "x = {}", "{}"):
        said = equal(shape.format(", ".join(a)), shape.format(", ".join(b)))
        same = set(a) == set(b) if "\\" in shape else a == b
        if shape in ("x = {}", "{}"):
            same = sorted(a) == sorted(b)
        assert said is same


@pytest.mark.parametrize(
    "piece", ["(", "[1,", "{", "\\text{", "x_{", "=", "±", "1 ", "\\frac", "$", "√", ".&", "½I",
              "\\begin{pmatrix}", " is 1", "and ", "1,234, ", "\\\\", "|"]
)  # fmt: skip
def test_long_hostile_texts_take_no_time(piece: str) -> None:
    text = (piece * MAX_ANSWER)[:MAX_ANSWER]
    began = time.process_time()
    equal("5", text)
    equal(text, "x" + text[:-1])
    assert time.process_time() - began < 0.5
