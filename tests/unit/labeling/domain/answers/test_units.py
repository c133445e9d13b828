"""Units are parted from values, and letters of a product are not taken for units."""

from __future__ import annotations

import pytest

from labeling.domain.answers.notation import normalize
from labeling.domain.answers.units import same_units, split_unit


@pytest.mark.parametrize(
    ("answer", "value", "unit"),
    [
        ("10 cm", "10", "cm"),
        ("10cm", "10", "cm"),
        (r"10\text{ centimeters}", "10", "cm"),
        (r"10\text{ cm}^2", "10", "cm^2"),
        ("10 square centimeters", "10", "cm^2"),
        ("12 km/h", "12", "km/h"),
        (r"12\text{ km}/\text{h}", "12", "km/h"),
        ("60 miles per hour", "60", "mi/h"),
        ("$18", "18", "$"),
        (r"-\$18.50", "-18.50", "$"),
        ("18 dollars", "18", "$"),
        ("5 red apples", "5", "red apple"),
        ("90 degrees", "90", ""),
        (r"\frac{1}{3} \textbf{meters}", r"\frac{1}{3}", "m"),
        (r"9\pi\text{ m}", "9π", "m"),
        ("50% of students", "50%", "of student"),
    ],
)
def test_a_unit_is_parted_from_its_value(answer: str, value: str, unit: str) -> None:
    assert split_unit(normalize(answer)) == (value, unit)


@pytest.mark.parametrize(
    "answer",
    ["2t", "5m", "2 xyz", r"\frac{1}{2} m", r"\pi r^2 h", r"\sin g", r"3\ln m", "x", "Monday",
     r"2\sqrt{3}", r"\text{red cars}", "no solution", "", r"\frac{1}{2} m v^2"],
)  # fmt: skip
def test_what_may_be_a_factor_is_no_unit(answer: str) -> None:
    normal = normalize(answer)
    assert split_unit(normal) == (normal, "")


@pytest.mark.parametrize(("a", "b"), [("", "cm"), ("cm", "cm"), ("apple", "red apple")])
def test_units_may_stand_for_one(a: str, b: str) -> None:
    assert same_units(a, b)
    assert same_units(b, a)


@pytest.mark.parametrize(
    ("a", "b"), [("cm", "m"), ("cm", "cm^2"), ("$", "€"), ("km/h", "km"), ("apple", "orange")]
)
def test_units_differ(a: str, b: str) -> None:
    assert not same_units(a, b)
    assert not same_units(b, a)
