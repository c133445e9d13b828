"""Rows of data sets: one small reader per format, told apart by their fields."""

from labeling.domain.formats.detection import FORMATS, Format, detect, format_named, read_row
from labeling.domain.formats.rows import (
    NAMEABLE,
    GivenVerdict,
    ImportRow,
    ProblemRow,
    Reading,
    RowError,
    SolutionRow,
    Source,
)

__all__ = [
    "FORMATS",
    "NAMEABLE",
    "Format",
    "GivenVerdict",
    "ImportRow",
    "ProblemRow",
    "Reading",
    "RowError",
    "SolutionRow",
    "Source",
    "detect",
    "format_named",
    "read_row",
]
