"""Import problems, solutions and the human labels that come with them: idempotent, line by line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from django.db import transaction

from labeling.domain.formats import ImportRow, ProblemRow, RowError, SolutionRow, read_row
from labeling.domain.hashing import content_hash, split_of
from labeling.domain.labels import LabelerKind, VerdictState
from labeling.domain.steps import SplitRule
from labeling.models import Problem, Project, Solution, User
from labeling.services import decisions, events, jsonrows, labelers, verdicts
from labeling.services.samplings import solution_hash

BATCH = 1000
ERRORS_KEPT = 100


@dataclass(slots=True)
class Report:
    """What an import did. `errors` holds the first ERRORS_KEPT (line, reason)."""

    rows: int = 0
    problems: int = 0
    solutions: int = 0
    human_verdicts: int = 0
    refused: int = 0
    errors: list[tuple[int, str]] = field(default_factory=list)


def import_file(
    *,
    by: User,
    project: Project,
    path: Path,
    rule: SplitRule,
    on_progress: Callable[[Report], None] | None = None,
) -> Report:
    """Import a JSONL file or JSON array; good rows go in, each bad one is reported by its line.

    The same file again adds nothing. Each batch of rows is one transaction.
    """
    report = Report()
    rows = _good_rows(jsonrows.read(path), rule, report)
    while batch := list(islice(rows, BATCH)):
        with transaction.atomic():
            _store(by, project, batch, report, path.name)
        if on_progress:
            on_progress(report)
    events.record(
        by=by,
        action="file imported",
        project=project,
        subject=path.name[:60],
        rows=report.rows,
        refused=report.refused,
    )
    return report


def _good_rows(
    rows: Iterable[tuple[int, object, str]], rule: SplitRule, report: Report
) -> Iterator[ImportRow]:
    for number, value, error in rows:
        report.rows += 1
        if not error:
            try:
                yield read_row(value, rule)
                continue
            except RowError as reason:
                error = str(reason)
        report.refused += 1
        if len(report.errors) < ERRORS_KEPT:
            report.errors.append((number, error))


def _store(
    by: User, project: Project, batch: Sequence[ImportRow], report: Report, file_name: str
) -> None:
    by_hash = {problem_hash(row.problem): row.problem for row in batch}
    before = Problem.objects.filter(project=project, content_hash__in=by_hash).count()
    Problem.objects.bulk_create(
        [_problem(project, digest, row) for digest, row in by_hash.items()],
        ignore_conflicts=True,
    )
    problems = {
        p.content_hash: p for p in Problem.objects.filter(project=project, content_hash__in=by_hash)
    }
    report.problems += len(problems) - before
    _store_solutions(by, project, batch, problems, report, file_name)


def _store_solutions(
    by: User,
    project: Project,
    batch: Sequence[ImportRow],
    problems: dict[str, Problem],
    report: Report,
    file_name: str,
) -> None:
    rows: dict[str, tuple[Problem, SolutionRow]] = {}
    for row in batch:
        if row.solution is not None:
            problem = problems[problem_hash(row.problem)]
            rows.setdefault(
                solution_hash(problem.content_hash, row.solution.steps), (problem, row.solution)
            )
    known = Solution.objects.filter(project=project, content_hash__in=rows)
    known_hashes = set(known.values_list("content_hash", flat=True))
    created = Solution.objects.bulk_create(
        [_solution(project, *pair, digest) for digest, pair in rows.items()
         if digest not in known_hashes],
        ignore_conflicts=True,
    )  # fmt: skip
    report.solutions += len(created)
    stored = list(Solution.objects.filter(project=project, content_hash__in=rows))
    decisions.refresh(project=project, solutions=decisions.lock(s.pk for s in stored))
    labelled: dict[str, list[verdicts.NewVerdict]] = {}
    for solution in stored:
        given = rows[solution.content_hash][1]
        if given.label is not None:
            name = given.labelled_by or f"labels in {file_name}"
            labelled.setdefault(name[:120], []).append(
                verdicts.NewVerdict(solution.pk, VerdictState.SCORED, given.label)
            )
    for name, new in labelled.items():
        labeler = labelers.register(
            by=by, project=project, kind=LabelerKind.HUMAN, name=name, config={"imported": name}
        )
        report.human_verdicts += verdicts.record(by=by, labeler=labeler, verdicts=new)


def problem_hash(row: ProblemRow) -> str:
    """Return the content hash that makes a problem unique in its project."""
    return content_hash([row.statement, row.answer])


def _problem(project: Project, digest: str, row: ProblemRow) -> Problem:
    return Problem(
        project=project,
        external_id=row.external_id[:200],
        statement=row.statement,
        answer=row.answer,
        source=row.source[:120],
        licence=row.licence[:200],
        content_hash=digest,
        split=split_of(digest, project.policy.test_share),
    )


def _solution(project: Project, problem: Problem, row: SolutionRow, digest: str) -> Solution:
    return Solution(
        project=project,
        problem=problem,
        external_id=row.external_id[:200],
        steps=list(row.steps),
        gaps=list(row.gaps),
        generator=row.generator[:200],
        final_answer=row.final_answer,
        final_answer_correct=row.final_answer_correct,
        content_hash=digest,
    )
