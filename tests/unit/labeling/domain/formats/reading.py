"""Read a row as the format that it fits."""

from __future__ import annotations

from typing import Any

from labeling.domain.formats import GivenVerdict, ImportRow, Reading, SolutionRow, read_row


def read(row: Any, **reading: Any) -> list[ImportRow]:
    return list(read_row(row, Reading(**reading)))


def read_one(row: Any, **reading: Any) -> ImportRow:
    (only,) = read(row, **reading)
    return only


def solution_of(row: Any, **reading: Any) -> SolutionRow:
    solution = read_one(row, **reading).solution
    assert solution is not None
    return solution


def verdict_of(row: Any, **reading: Any) -> GivenVerdict:
    (only,) = solution_of(row, **reading).verdicts
    return only
