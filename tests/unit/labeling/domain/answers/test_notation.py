"""One answer in different notation has one normal form, and nothing else has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.answers.notation import latex, normalize


@pytest.mark.parametrize(
    ("answer", "normal"),
    [
        (r"\left( 1, 2 \right)", "(1,2)"),
        (r"\dfrac12", r"\frac{1}{2}"),
        (r"\frac1{23}", r"\frac{1}{23}"),
        (r"\sqrt3", r"\sqrt{3}"),
        ("sqrt(x+1)", r"\sqrt{x+1}"),
        (r"x \le 3", "x≤3"),
        ("x<=3", "x≤3"),
        (r"\{1,2\} \cup [3,\infty)", "⦃1,2⦄∪[3,∞)"),
        (r"\text{ and }", ""),
        (r"19, 46, \text{ and } 82", "19,46,82"),
        (r"\mathrm{e}^{2}", "e^2"),
        (r"x^{12}", "x^{12}"),
        (r"x^{1}2", "x^{1}2"),
        ("x^2 + 2 * x", "x^2+2*x"),
        (r"5\text{ m}", r"5\text{ m}"),
        (r"90^\circ", "90"),
        (r"50 \%", "50%"),
        ("+5", "5"),
        ("3+5", "3+5"),
        ("1e-07", "1*10^{-7}"),
        ("$x$", "x"),
        (r"\[ x \]", "x"),
        (r"\(1\), \(2\) and $3$", "1,2,3"),
        ("5.", "5"),
        (".5", ".5"),
        ("185\\", "185"),
        ("f'(x)", "f'(x)"),
        (r"f^\prime(x)", "f'(x)"),
    ],
)
def test_layout_is_dropped(answer: str, normal: str) -> None:
    assert normalize(answer) == normal


@pytest.mark.parametrize(
    ("answer", "normal"),
    [
        ("−½", r"-\frac{1}{2}"),
        ("x¹²", "x^{12}"),
        ("a₁", "a_1"),
        ("√12", r"\sqrt{12}"),
        ("１２٣", "123"),
        ("𝑥 ≤ α", r"x≤\alpha"),
        ("ℝ", r"\mathbb{R}"),
        ("2×3", "2*3"),
        ("Zürich", "Zürich"),
    ],
)
def test_unicode_is_written_as_latex(answer: str, normal: str) -> None:
    assert normalize(answer) == normal


def test_a_second_escaping_is_undone_only_where_all_is_escaped_twice() -> None:
    assert normalize(r"\\frac{1}{2}") == r"\frac{1}{2}"
    matrix = r"\begin{pmatrix}1\\2\end{pmatrix}"
    assert normalize(matrix) == matrix
    assert normalize(matrix.replace("\\", "\\\\")) == matrix


def test_a_comma_with_a_space_separates_beside_one_that_groups() -> None:
    assert normalize("1,234") == "1,234"
    assert normalize("1, 234") == "1;234"
    assert normalize("1,000, x") == "1,000;x"
    assert normalize("1, 2, 3") == "1,2,3"


@pytest.mark.parametrize(
    ("prose", "stated"),
    [
        (r"The solution is $x \leq 5$", "x≤5"),
        ("The sum of the 2 numbers is 15", "15"),
        (r"Special matrix: \[ x \]", "x"),
        (r"The smallest \(n\) is \(n = 10\)", "n=10"),
    ],
)
def test_prose_before_what_it_states_is_dropped(prose: str, stated: str) -> None:
    assert normalize(prose) == stated


@pytest.mark.parametrize("prose", [r"It is not $5$", r"Never $5$", "This is less than 5"])
def test_negated_and_hedged_prose_stays(prose: str) -> None:
    assert normalize(prose) != "5"


def test_latex_gives_back_what_a_latex_reader_knows() -> None:
    assert latex("x≤π") == r"x\le \pi "
    assert latex("⦃1⦄∪[2,∞)") == r"\{1\}\cup [2,\infty )"
    assert latex("f''(x)") == "f_{prime}(x)"


@given(st.text())
def test_any_text_has_a_normal_form_without_outer_white_space(text: str) -> None:
    assert normalize(text) == normalize(text).strip()


@given(st.from_regex(r"[a-z0-9+*/=(){}^]{1,30}", fullmatch=True))
def test_math_marks_change_nothing(text: str) -> None:
    assert normalize(f"${text}$") == normalize(f"$ {text} $")
