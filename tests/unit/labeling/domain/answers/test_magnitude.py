"""What would take too long is told from its text; what people write in answers is let through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.answers.magnitude import is_too_big
from labeling.domain.answers.notation import normalize


@pytest.mark.parametrize(
    "answer",
    [
        "9^{9^9}",
        "10^{10^{10}}",
        "9^9^9",
        "(2^{9999})^{9999}",
        "(10^8)!",
        "99999!",
        "5!!!!",
        "5" + "!" * 99,
        "(" * 9 + "9" + "^{99})" * 9,
        r"\binom{1000000}{500000}",
        r"\sum_{n=1}^{10^7} n",
        r"2^{\frac{1}{2^{1000}}}",
        "(" * 20 + "x" + ")" * 20,
        "{" * 60 + "x" + "}" * 60,
        "|x|" * 20,
        "1+" * 500 + "1",
        "9" * 900,
        r"\operatorname{zeros}(99999,99999)",
    ],
)
def test_hostile_shapes_are_too_big(answer: str) -> None:
    assert is_too_big(normalize(answer))


@pytest.mark.parametrize(
    "answer",
    [
        "2^{2021}",
        "2021!",
        "(x+1)^{60}",
        r"\binom{100}{50}",
        r"\sum_{k=1}^{2024} k^2",
        r"\sum_{n=1}^{\infty} \frac{1}{n^2}",
        "10^{100}",
        r"e^{-x^2/2}",
        "x^{2024}+x^{2023}",
        r"\frac{1}{1+\frac{1}{1+\frac{1}{x}}}",
        "((((x+1))))",
        "6.02*10^{23}",
    ],
)
def test_answers_are_not(answer: str) -> None:
    assert not is_too_big(normalize(answer))


@given(st.text(alphabet="^!(){}[]|0123456789xn\\sumbinom_", max_size=900))
def test_any_text_is_measured(text: str) -> None:
    assert is_too_big(text) in (True, False)
