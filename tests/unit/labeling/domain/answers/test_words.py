"""Texts are compared as text, and letters that may be a product are left to mathematics."""

from __future__ import annotations

import pytest

from labeling.domain.answers.words import is_text, same_choice, same_words


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (r"\text{Evelyn}", "evelyn"),
        ("the red car", "Red car"),
        ("yes", "True"),
        ("no", r"\text{false}"),
        ("∅", "no solution"),
        (r"\text{odd}", "odd"),
    ],
)
def test_texts_that_say_the_same(a: str, b: str) -> None:
    assert same_words(a, b) is True
    assert same_words(b, a) is True


@pytest.mark.parametrize(
    ("a", "b"),
    [("Monday", "Tuesday"), ("odd", "even"), ("stop", "pots"), ("yes", "no"), ("ABC", "CAB")],
)
def test_texts_that_differ(a: str, b: str) -> None:
    assert same_words(a, b) is False
    assert same_words(b, a) is False


@pytest.mark.parametrize(
    ("a", "b"), [("ab", "ba"), ("xyz", "zyx"), ("5", "6"), ("x+1", "Monday"), (r"\sin x", "sin")]
)
def test_what_may_be_mathematics_is_left_open(a: str, b: str) -> None:
    assert same_words(a, b) is None


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ("C", "(C)", True),
        ("C", "C. x=42", True),
        ("D", "Choice D: 7", True),
        ("A", "(B)", False),
        ("A", "Circle", None),
        ("A. first", "B. second", None),
        ("x", "x+1", None),
    ],
)
def test_a_choice_is_its_letter(a: str, b: str, said: bool | None) -> None:
    assert same_choice(a, b) is said
    assert same_choice(b, a) is said


def test_text_is_told_from_formulas() -> None:
    assert is_text("no idea")
    assert is_text(r"\text{odd}")
    assert not is_text("abc")
    assert not is_text("5 apples")
    assert not is_text(r"\alpha")
