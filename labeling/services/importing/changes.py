"""What a batch would change, given what the project holds. Touches no database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from labeling.domain.labels import LabelerKind
from labeling.services.importing.batches import OTHER_ANSWER, Batch, Key
from labeling.services.importing.reports import Report
from labeling.services.importing.values import (
    KnownProblem,
    KnownSolution,
    Said,
    problem_values,
    said,
)

_source_of = itemgetter(0)


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
        by_source = Counter(map(_source_of, self.verdicts))
        people = sum(n for source, n in by_source.items() if source.kind is LabelerKind.HUMAN)
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
    if not known.solutions and not known.verdicts:
        changes.solutions, changes.verdicts = [*batch.solutions], [*batch.verdicts]
        return changes
    for digest, given in batch.solutions.items():
        there = known.solutions.get(digest)
        if there is None:
            changes.solutions.append(digest)
        elif fills := _fills(given.values, there[1:], KnownSolution._fields[1:]):
            changes.solution_fills[digest] = fills
    for key, (verdict, _) in batch.verdicts.items():
        before = known.verdicts.get(key)
        if before is None:
            changes.verdicts.append(key)
        elif before[1] != said(verdict):
            changes.relabels.append(key)
    return changes


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
