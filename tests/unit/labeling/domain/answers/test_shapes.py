"""The shape of an answer is read as a mathematician reads it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.answers.notation import normalize
from labeling.domain.answers.shapes import (
    Matrix,
    Named,
    Piece,
    Relation,
    Series,
    Shape,
    Union,
    read_shape,
    split,
)


def _read(answer: str) -> Shape:
    return read_shape(normalize(answer))


@pytest.mark.parametrize(
    ("answer", "marks", "items"),
    [
        ("1, 2, 3", "", ["1", "2", "3"]),
        ("(1, x)", "()", ["1", "x"]),
        (r"\langle a; b\rangle", "()", ["a", "b"]),
        ("[0,1)", "[)", ["0", "1"]),
        ("]0,1]", "(]", ["0", "1"]),
        (r"\{1,2\}", "⦃⦄", ["1", "2"]),
        ("{1,2,3}", "⦃⦄", ["1", "2", "3"]),
        (r"\{\}", "⦃⦄", []),
        (r"3\pm x", "", ["3+x", "3-x"]),
        (r"\pm 3, 5", "", ["3", "-3", "5"]),
        ("f(1,2), 3", "", ["f(1,2)", "3"]),
        ("1,000; 2,000", "", ["1,000", "2,000"]),
    ],
)
def test_a_series_has_marks_and_items(answer: str, marks: str, items: list[str]) -> None:
    shape = _read(answer)
    assert isinstance(shape, Series)
    assert (shape.marks, [item.text for item in shape.items]) == (marks, items)


@pytest.mark.parametrize(
    ("answer", "name", "value"),
    [
        ("x = 5", "x", "5"),
        ("f(x) = 2x", "f(x)", "2x"),
        (r"x \in [0,1]", "x", "[0,1]"),
        ("k = 1/3 \\approx 0.33", "k", "1/3"),
        ("x = y = 3", "x", "3"),
        ("0 < x \\le 1", "x", "(0,1]"),
        ("3 \\ge t", "t", "(-∞,3]"),
        ("t > 3", "t", "(3,∞)"),
        (r"\angle ABC = 5", "∠ABC", "5"),
        (r"V_{1}:V_{2} = 11:21", "V_1:V_2", "11:21"),
        (r"x \approx 5", "x", "5"),
    ],
)
def test_a_name_is_parted_from_its_value(answer: str, name: str, value: str) -> None:
    shape = _read(answer)
    assert isinstance(shape, Named)
    assert (shape.name, shape.value.text) == (name, value)


@pytest.mark.parametrize("answer", ["2x+z=1", "x^2=4", "-x > -1", r"x\ne 2", "a < b < c < d"])
def test_other_relations_stay_whole(answer: str) -> None:
    assert isinstance(_read(answer), Relation)


def test_matrices_unions_and_pieces() -> None:
    matrix = _read(r"\left[\begin{array}{cc} 1 & x \\ 3 & 4 \end{array}\right]")
    assert isinstance(matrix, Matrix)
    assert [[cell.text for cell in row] for row in matrix.rows] == [["1", "x"], ["3", "4"]]
    union = _read(r"(0,1)\cup\{5\}")
    assert isinstance(union, Union)
    assert [item.text for item in union.items] == ["(0,1)", "⦃5⦄"]
    for whole in ("5", "1,234", "(x+1)(x-1)", r"\frac{1}{2}", "x", r"\approx 5", "((7))"):
        assert isinstance(_read(whole), Piece)


def test_splitting_respects_brackets_and_environments() -> None:
    assert split(r"a,(b,c),\begin{x}d,e\end{x},f", ",") == [
        "a", "(b,c)", r"\begin{x}d,e\end{x}", "f",
    ]  # fmt: skip


@given(st.text(alphabet="([{⦃⟨)]}⦄⟩,;=<≤≈±∪x1& \\", max_size=60))
def test_any_text_has_a_shape(text: str) -> None:
    assert read_shape(text).text is not None


def test_deep_nesting_is_read_as_one_piece_at_last() -> None:
    assert read_shape("[1," * 500 + "]" * 500)
