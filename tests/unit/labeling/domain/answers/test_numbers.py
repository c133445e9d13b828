"""Numbers are read exactly, in all their writings, and never as another number."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.answers.numbers import MAX_DIGITS, Number, equal_numbers, number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("42", 42),
        ("-007", -7),
        ("5.", 5),
        (".25", Fraction(1, 4)),
        ("1,234,567.5", Fraction(2469135, 2)),
        ("12,34,567", 1234567),
        ("1 234,5", Fraction(2469, 2)),
        ("1.234,5", Fraction(2469, 2)),
        ("1.234.567", 1234567),
        ("1'000", 1000),
        ("0,5", Fraction(1, 2)),
        ("0,125", Fraction(1, 8)),
        (r"\frac{3}{-4}", Fraction(-3, 4)),
        ("3/4", Fraction(3, 4)),
        (r"2\frac{1}{3}", Fraction(7, 3)),
        ("-2 1/3", Fraction(-7, 3)),
        ("2.5*10^{-3}", Fraction(1, 400)),
        ("10^3", 1000),
        (r"0.1\overline{6}", Fraction(1, 6)),
        ("-.(3)", Fraction(-1, 3)),
        ("1011_2", 11),
        ("2A_{16}", 42),
    ],
)
def test_a_writing_has_its_value(text: str, value: int | Fraction) -> None:
    read = number(text)
    assert read is not None
    assert read.value == value


@pytest.mark.parametrize(
    "text",
    ["", "x", "1/0", r"\frac{1}{0}", "1..2", "1,,2", "12_2", "5_1", "2x_5", "1e999", "--5", "3 4",
     "1,2,3", "0x10", "٣", "1" * (MAX_DIGITS + 1), "5%%", r"1\frac{-1}{2}", "10^{999}"],
)  # fmt: skip
def test_what_is_no_plain_number_is_not_read_as_one(text: str) -> None:
    assert number(text) is None


def test_a_percentage_keeps_its_face() -> None:
    half = number("50%")
    assert half is not None
    assert (half.value, half.face) == (Fraction(1, 2), 50)


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ("50%", "0.5", True),
        ("50%", "50", True),
        ("50%", "5000", False),
        ("50%", "50.0%", True),
        ("0.5%", "50%", False),
        ("1,22", "1.22", True),
        ("1,2", "2,1", None),
        ("1,2", "5", False),
        ("0.333", "1/3", False),
        ("0.33333333333", "1/3", False),  # 11 digits
        ("0.333333333333", "1/3", True),  # 12, cut
        ("0.666666666667", "2/3", True),  # 12, rounded
        ("0.666666666665", "2/3", False),  # 1.67 units off
        ("0.333333333333", "0.3333333333333", False),
        ("33.3333333333%", "1/3", True),
    ],
)
def test_numbers_are_equal_by_their_values(a: str, b: str, said: bool | None) -> None:
    first, second = _read(a), _read(b)
    assert equal_numbers(first, second) is said
    assert equal_numbers(second, first) is said


@given(st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12))
def test_integers_are_told_apart(a: int, b: int) -> None:
    assert equal_numbers(_read(f"{a:,}"), _read(str(b))) is (a == b)


@given(st.fractions(max_denominator=10**6), st.fractions(max_denominator=10**6))
def test_fractions_are_told_apart(a: Fraction, b: Fraction) -> None:
    sign = "-" if a < 0 else ""
    latex = rf"{sign}\frac{{{abs(a.numerator)}}}{{{a.denominator}}}"
    assert equal_numbers(_read(latex), _read(f"{b.numerator}/{b.denominator}")) is (a == b)


@given(st.integers(-(10**12), 10**12), st.integers(0, 9))
def test_decimals_are_exact(digits: int, places: int) -> None:
    text = f"{Decimal(digits).scaleb(-places):f}"
    assert _read(text).value == Fraction(digits, 10**places)


@given(st.integers(2, 16), st.integers(0, 10**9))
def test_a_number_in_a_base_has_its_value(base: int, value: int) -> None:
    digits, rest = "", value
    while rest or not digits:
        digits, rest = "0123456789ABCDEF"[rest % base] + digits, rest // base
    if digits[0].isdigit():  # letters first may be a name
        assert _read(f"{digits}_{{{base}}}").value == value


@given(st.text(alphabet="0123456789.,/-+e^*{}_%() \\frac'", max_size=20))
def test_no_text_raises(text: str) -> None:
    read = number(text)
    assert read is None or equal_numbers(read, read) in (True, None)


def _read(text: str) -> Number:
    read = number(text)
    assert read is not None, text
    return read
