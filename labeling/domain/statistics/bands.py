"""The groups by which label noise is read: step position, length, difficulty."""

from __future__ import annotations

from bisect import bisect_right

from labeling.domain.phrases import marked

POSITIONS = ("1", "2", "3", "4", "5", "6-7", "8-10", "11-15", marked("16 and later"))
LENGTHS = (marked("1-3 steps"), "4-5", "6-7", "8-10", "11-15", marked("16 and more"))
DIFFICULTIES = (
    marked("never solved"),
    marked("up to 25 %"),
    "25-50 %",
    "50-75 %",
    marked("75 % and more"),
    marked("always"),
)

_POSITION_STARTS = (2, 3, 4, 5, 6, 8, 11, 16)
_LENGTH_STARTS = (4, 6, 8, 11, 16)


def position_band(index: int) -> str:
    """Return the band of a step's 0-based index; bands count from 1 and widen with the place."""
    return POSITIONS[bisect_right(_POSITION_STARTS, index + 1)]


def position_of(band: str) -> tuple[int, int]:
    """Return the first and the last place, from 1, of a band; the last one ends far away."""
    return _ends(POSITIONS.index(band), _POSITION_STARTS)


def length_band(steps: int) -> str:
    """Return the band of a solution's number of steps."""
    return LENGTHS[bisect_right(_LENGTH_STARTS, steps)]


def length_of(band: str) -> tuple[int, int]:
    """Return the fewest and the most steps of a band; the last one ends far away."""
    return _ends(LENGTHS.index(band), _LENGTH_STARTS)


def _ends(place: int, starts: tuple[int, ...]) -> tuple[int, int]:
    ends = (1, *starts, 10**6)
    return ends[place], ends[place + 1] - 1


def difficulty_band(passed: int, drawn: int) -> str | None:
    """Return the band of a problem by how many of the completer's samples reach the answer.

    "Never" and "always" stand alone: the labels of such problems follow from too few or too
    lucky completions. None where nothing was drawn.
    """
    if not drawn:
        return None
    if passed in (0, drawn):
        return DIFFICULTIES[-1 if passed else 0]
    return DIFFICULTIES[1 + min(3, 4 * passed // drawn)]
