from __future__ import annotations

import pytest

from labeling.domain.statistics.bands import (
    DIFFICULTIES,
    LENGTHS,
    POSITIONS,
    difficulty_band,
    length_band,
    position_band,
)


@pytest.mark.parametrize(
    ("index", "band"),
    [(0, "1"), (4, "5"), (5, "6-7"), (6, "6-7"), (7, "8-10"), (14, "11-15"), (106, "16 and later")],
)
def test_positions_count_from_one(index, band):
    assert position_band(index) == band


@pytest.mark.parametrize(
    ("steps", "band"),
    [
        (1, "1-3 steps"),
        (3, "1-3 steps"),
        (4, "4-5"),
        (10, "8-10"),
        (11, "11-15"),
        (16, "16 and more"),
    ],
)
def test_lengths(steps, band):
    assert length_band(steps) == band


@pytest.mark.parametrize(
    ("passed", "drawn", "band"),
    [
        (0, 8, "never solved"),
        (1, 8, "up to 25 %"),
        (2, 8, "25-50 %"),
        (4, 8, "50-75 %"),
        (7, 8, "75 % and more"),
        (8, 8, "always"),
        (0, 0, None),
    ],
)
def test_difficulty_sets_never_and_always_apart(passed, drawn, band):
    assert difficulty_band(passed, drawn) == band


def test_every_band_is_reached():
    assert {position_band(index) for index in range(20)} == set(POSITIONS)
    assert {length_band(steps) for steps in range(1, 20)} == set(LENGTHS)
    assert {difficulty_band(passed, 8) for passed in range(9)} == set(DIFFICULTIES)
