"""Expressions are equal where their difference is zero, exactly or to many digits."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.symbolic import equal


@pytest.mark.parametrize(
    ("gold", "prediction"),
    [
        ("x+y", "y+x"),
        ("(x+1)^{60}", "(1+x)^{60}"),
        (r"\frac{x+2}{7}", r"\frac{x}{7}+\frac{2}{7}"),
        (r"\sqrt{x^2}", "|x|"),
        (r"\log(x^2)", r"2\log x"),
        (r"\sqrt{5+2\sqrt{6}}", r"\sqrt{2}+\sqrt{3}"),
        ("2^{2021}", r"2\cdot 4^{1010}"),
        (r"e^{i\pi}", "-1"),
        (r"\tan^2(y)+1", r"\sec^2(y)"),
        (r"\sum_{k=1}^{n} k", r"\frac{n(n+1)}{2}"),
        (r"\sum_{i=1}^{n} i", r"\frac{n(n+1)}{2}"),
        (r"\cos(n\pi)", "(-1)^n"),
        ("n!", "n(n-1)!"),
        (r"\int_0^1 x dx", r"\frac{1}{2}"),
        (r"\lim_{x\to 0}\frac{\sin x}{x}", "1"),
        ("f(x)+1", "1+f(x)"),
        (r"\log_2 8", "3"),
        ("0.5x", r"\frac{x}{2}"),
        ("1.4142135623730951", r"\sqrt{2}"),
        ("-1.41421356237", r"-\sqrt{2}"),
        (r"\frac{10\sqrt{10.5}}{27}", r"\frac{5\sqrt{42}}{27}"),
        (r"A\cdot B", "BA"),
    ],
)
def test_equal_expressions(gold: str, prediction: str) -> None:
    assert equal(gold, prediction)
    assert equal(prediction, gold)


@pytest.mark.parametrize(
    ("gold", "prediction"),
    [
        ("2^{100}", "2^{100}+1"),
        ("10^{-30}", "10^{-31}"),
        (r"\frac{1}{3}", "0.333333"),
        ("1.41421356239", r"\sqrt{2}"),  # 1.41421356237309…
        ("1.4142135623", r"\sqrt{2}"),  # 11 digits
        (r"\sqrt{x^2}", "x"),
        ("R^2", "r^2"),
        ("2+3i", "2-3i"),
        ("x_1", "x_2"),
        (r"\frac{1}{0}", r"\frac{2}{0}"),
        (r"\infty", r"-\infty"),
        ("3 4", "7"),
        ("x+", "x"),
        ("x#y", "x#y"),
        ("2^{2^{-900}}", "1"),
        (r"x^{100}", r"x^{101}"),
        (r"\sin x", "x"),
        (r"\sum_{k=1}^{n} k", "k"),
        (r"\sum_{k=1}^{n} k^2", r"\sum_{k=1}^{n} k"),
    ],
)
def test_different_expressions(gold: str, prediction: str) -> None:
    assert not equal(gold, prediction)
    assert not equal(prediction, gold)


@pytest.mark.parametrize(
    ("gold", "prediction", "said"),
    [
        ("x^2/4+y^2/3=1", "x^2/16+y^2/12=1/4", True),
        ("34x+45y-20z+100=0", "-34x-45y+20z-100=0", True),
        ("x=5", "y=5", False),
        ("x+y=5", "x+y=6", False),
        (r"-x\ge -1", r"x\le 1", True),
        (r"2x<4", "x<2", True),
        ("x<2", "-x<-2", False),
        ("x<2", r"x\le 2", False),
        (r"x\ne 2", r"2\ne x", True),
        (r"F_n=\sum_{k=0}^{n-1} F_k F_{n-k-1}", r"F_n=\sum_{k=0}^{n-1} F_{n-k-1} F_k", True),
    ],
)
def test_relations(gold: str, prediction: str, said: bool) -> None:
    assert equal(gold, prediction) is said


def test_sets_and_matrices() -> None:
    line = r"(-\infty,0)\cup(0,\infty)"
    assert equal(line, r"\mathbb{R}\setminus\{0\}")
    assert not equal(line, r"\mathbb{R}")
    total = r"\begin{pmatrix}1&2\\3&4\end{pmatrix}+\begin{pmatrix}5&6\\7&8\end{pmatrix}"
    assert equal(r"\begin{pmatrix}6&8\\10&12\end{pmatrix}", total)
    assert not equal(r"\begin{pmatrix}6&8\\10&13\end{pmatrix}", total)


COEFFICIENTS = st.lists(st.integers(-9, 9), min_size=1, max_size=4)


@settings(max_examples=40)
@given(COEFFICIENTS, COEFFICIENTS)
def test_polynomials_are_equal_where_their_coefficients_are(a: list[int], b: list[int]) -> None:
    length = max(len(a), len(b))
    same = a + [0] * (length - len(a)) == b + [0] * (length - len(b))
    assert equal(_polynomial(a), _polynomial(b)) is same


@settings(max_examples=40)
@given(st.fractions(1, 50, max_denominator=20), st.fractions(1, 50, max_denominator=20))
def test_roots_are_equal_where_their_squares_are(a: Fraction, b: Fraction) -> None:
    left = rf"\sqrt{{\frac{{{a.numerator}}}{{{a.denominator}}}}}"
    right = rf"\frac{{\sqrt{{{b.numerator * b.denominator}}}}}{{{b.denominator}}}"
    assert equal(left, right) is (a == b)


def _polynomial(coefficients: list[int]) -> str:
    return "+".join(f"({c})x^{{{power}}}" for power, c in enumerate(coefficients))
