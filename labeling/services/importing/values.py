"""What the database keeps of a row: shortened to its columns, told apart from what is stored."""

from __future__ import annotations

from typing import NamedTuple

from labeling.domain.formats import GivenVerdict, ProblemRow, SolutionRow

SolutionValues = tuple[str, str, str | None, bool | None]
"""Those of KnownSolution but the id."""


class KnownProblem(NamedTuple):
    """A stored problem: what an import may fill where it is empty."""

    id: int
    answer: str
    external_id: str
    source: str
    licence: str


class KnownSolution(NamedTuple):
    """A stored solution: what an import may fill where it is empty."""

    id: int
    external_id: str
    generator: str
    final_answer: str | None
    final_answer_correct: bool | None


class Said(NamedTuple):
    """What a verdict says; a file's verdict that says something else replaces it."""

    state: str
    first_error: int | None
    step_labels: tuple[int | None, ...]
    step_scores: tuple[float | None, ...]
    mc_k: tuple[int | None, ...]
    mc_n: tuple[int | None, ...]
    critique: str
    reason: str


def problem_values(row: ProblemRow) -> tuple[str, str, str, str]:
    """Return KnownProblem's values but the id, as long as their columns are."""
    return row.answer, row.external_id[:200], row.source[:120], row.licence[:200]


def solution_values(row: SolutionRow) -> SolutionValues:
    """Return KnownSolution's values but the id, as long as their columns are."""
    return (
        row.external_id[:200],
        row.generator[:200],
        row.final_answer,
        row.final_answer_correct,
    )


def said(verdict: GivenVerdict) -> Said:
    """Return what the verdict says, as it is stored."""
    k: tuple[int | None, ...] = ()
    n: tuple[int | None, ...] = ()
    if verdict.counts:
        k, n = zip(*(pair or (None, None) for pair in verdict.counts), strict=True)
    return Said(
        verdict.state.value,
        verdict.first_error,
        verdict.step_labels,
        verdict.step_scores,
        k,
        n,
        verdict.critique,
        verdict.reason,
    )
