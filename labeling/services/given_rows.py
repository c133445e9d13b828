"""Bring in rows that a program sends, as an import of the native format would: idempotent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from labeling.domain.formats import ImportRow, RowError, format_named
from labeling.domain.hashing import problem_hash, solution_hash
from labeling.domain.labels import LabelerKind
from labeling.domain.refusals import Invalid
from labeling.models import Problem, Project, Solution, User
from labeling.services.importing.batches import Plan, batches, read_planned
from labeling.services.importing.ledgers import Stored
from labeling.services.importing.options import Options
from labeling.services.importing.reports import Report

SENT = "rows of a program"

MOST = 1000
"""Rows in one request; more come as a file."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What a row has become: opaque ids. `solution` is None for a problem alone."""

    problem: str
    solution: str | None


@dataclass(frozen=True, slots=True)
class Rows:
    """By row of the request: what it has become, or why it was refused; and what is new."""

    rows: list[Brought | str]
    report: Report = field(default_factory=Report)


@transaction.atomic
def bring_in(
    *, by: User, project: Project, rows: Sequence[Mapping[str, Any]], labeler: str = ""
) -> Rows:
    """Store the rows that can be read; a bad one leaves nothing behind and says why.

    What is stored already is found and returned, and empty fields of it are filled. `labeler`
    names whose labels those are that the rows hold.
    """
    if not 1 <= len(rows) <= MOST:
        raise Invalid("rows: 1 to {most} are taken at once", most=MOST)
    plan = _plan(labeler)
    read = [_read(row, plan) for row in rows]
    good = [(line, row, "") for line, row in enumerate(rows) if not isinstance(read[line], str)]
    report, ledger = Report(), Stored(by, project, SENT)
    for batch in batches(good, plan):
        ledger.take(batch).add_to(report)
    found = _known(project, [row for row in read if not isinstance(row, str)])
    return Rows([row if isinstance(row, str) else found[_key(row)] for row in read], report)


def _plan(labeler: str) -> Plan:
    options = Options(labeler_kind=LabelerKind.HUMAN, labeler_name=labeler)
    return Plan(format_named("native"), options.reading(), options.whose(SENT))


def _read(row: Mapping[str, Any], plan: Plan) -> ImportRow | str:
    try:
        (found,) = read_planned(dict(row), plan)
    except RowError as error:
        return str(error)
    return found


Key = tuple[str, str | None]


def _key(row: ImportRow) -> Key:
    problem = problem_hash(row.problem.statement)
    return problem, solution_hash(problem, row.solution.steps) if row.solution else None


def _known(project: Project, rows: Sequence[ImportRow]) -> dict[Key, Brought]:
    keys = {_key(row) for row in rows}
    problems = _uids(Problem, project, {problem for problem, _ in keys})
    solutions = _uids(Solution, project, {key for _, key in keys if key})
    return {
        (problem, solution): Brought(problems[problem], solutions[solution] if solution else None)
        for problem, solution in keys
    }


def _uids(model: Any, project: Project, hashes: set[str]) -> dict[str, str]:
    rows = model.objects.filter(project=project, content_hash__in=hashes)
    return dict(rows.values_list("content_hash", "uid"))
