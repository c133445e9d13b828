"""What a batch would change, given what the project holds. Touches no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from labeling.domain.formats import GivenVerdict, ProblemRow, SolutionRow, Source
from labeling.domain.labels import LabelerKind
from labeling.services.importing.batches import OTHER_ANSWER, Batch
from labeling.services.importing.reports import Report

Key = tuple[Source, str]
"""A labeler, and a solution's content hash."""


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


@dataclass(slots=True)
class Known:
    """What is stored of a batch's problems, solutions and verdicts."""

    problems: Mapping[str, KnownProblem]
    solutions: Mapping[str, KnownSolution]
    verdicts: Mapping[Key, tuple[int, Said]]


@dataclass(slots=True)
class Changes:
    """New rows by their keys, and the values that replace empty or older ones."""

    problems: list[str] = field(default_factory=list)
    solutions: list[str] = field(default_factory=list)
    verdicts: list[Key] = field(default_factory=list)
    problem_fills: dict[str, dict[str, Any]] = field(default_factory=dict)
    solution_fills: dict[str, dict[str, Any]] = field(default_factory=dict)
    relabels: list[Key] = field(default_factory=list)
    notes: list[tuple[str, int]] = field(default_factory=list)

    def add_to(self, report: Report) -> None:
        """Count the changes."""
        people = sum(source.kind is LabelerKind.HUMAN for source, _ in self.verdicts)
        report.problems += len(self.problems)
        report.solutions += len(self.solutions)
        report.human_verdicts += people
        report.machine_verdicts += len(self.verdicts) - people
        report.filled += len(self.problem_fills) + len(self.solution_fills)
        report.relabeled += len(self.relabels)


def compare(batch: Batch, known: Known) -> Changes:
    """Return what the batch adds and fills. What has a value keeps it; only verdicts change."""
    changes = Changes()
    for digest, (problem, line) in batch.problems.items():
        stored = known.problems.get(digest)
        if stored is None:
            changes.problems.append(digest)
            continue
        if stored.answer and problem.answer and stored.answer != problem.answer:
            changes.notes.append((OTHER_ANSWER, line))
        if fills := _fills(problem_values(problem), stored[1:], KnownProblem._fields[1:]):
            changes.problem_fills[digest] = fills
    for digest, (_, solution) in batch.solutions.items():
        there = known.solutions.get(digest)
        if there is None:
            changes.solutions.append(digest)
        elif fills := _fills(solution_values(solution), there[1:], KnownSolution._fields[1:]):
            changes.solution_fills[digest] = fills
    for key, verdict in batch.verdicts.items():
        before = known.verdicts.get(key)
        if before is None:
            changes.verdicts.append(key)
        elif before[1] != said(verdict):
            changes.relabels.append(key)
    return changes


def problem_values(row: ProblemRow) -> tuple[str, str, str, str]:
    """Return KnownProblem's values but the id, as long as their columns are."""
    return row.answer, row.external_id[:200], row.source[:120], row.licence[:200]


def solution_values(row: SolutionRow) -> tuple[str, str, str | None, bool | None]:
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


def _fills(
    given: tuple[Any, ...], stored: tuple[Any, ...], names: tuple[str, ...]
) -> dict[str, Any]:
    if given == stored:
        return {}
    return {
        name: value
        for name, value, there in zip(names, given, stored, strict=True)
        if there in ("", None) and value not in ("", None)
    }
