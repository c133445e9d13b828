"""Turn a file's rows into batches ready for the database, without touching it."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple

from labeling.domain.formats import (
    Format,
    GivenVerdict,
    ImportRow,
    ProblemRow,
    Reading,
    RowError,
    SolutionRow,
    Source,
    read_row,
)
from labeling.domain.formats.mapping import as_native
from labeling.domain.hashing import framed, hash_of, problem_hash
from labeling.services.importing import packing
from labeling.services.importing.copying import framed_texts
from labeling.services.importing.values import SolutionValues, solution_values
from labeling.services.rowfiles import FileRow

SOLUTIONS = 2000
CHARACTERS = 8 * 10**6
"""Where a batch ends, in solutions (problems, where there are none) or in text, whichever first."""

LABELERS_LIMIT = 500
"""Named labelers in one file."""

NAME_LIMIT = 120

OTHER_ANSWER = "another reference answer than an earlier row's, or the stored one, which stands"
OTHER_LABEL = "labeled again by the same labeler: the last label stands"


@dataclass(frozen=True, slots=True)
class Plan:
    """How to read a file. `whose` stands in for labelers that the file does not name."""

    form: Format
    reading: Reading
    whose: Source
    columns: dict[str, str] | None = None
    labels: bool = True
    source: str = ""
    licence: str = ""
    most: int = field(default_factory=lambda: SOLUTIONS)
    most_labelers: int = field(default_factory=lambda: LABELERS_LIMIT)


class GivenSolution(NamedTuple):
    """A solution as it is stored: its problem, what fills the gaps of a stored one, its fields."""

    problem: str
    values: SolutionValues
    fields: bytes
    """packing.solution_fields"""


Key = tuple[Source, str]
"""A labeler, and a solution's content hash."""


@dataclass(slots=True)
class Batch:
    """Problems and solutions by content hash, verdicts with packing.verdict_fields; all unique.
    Solutions come in the order of their hashes, and so do the verdicts, by their solutions'.

    Texts are packed already, since a batch may come from another process. `share`: of the file, up
    to the batch's end.
    """

    problems: dict[str, tuple[ProblemRow, int]]
    solutions: dict[str, GivenSolution]
    verdicts: dict[Key, tuple[GivenVerdict, bytes]]
    rows: int
    errors: list[tuple[int, str]]
    notes: list[tuple[str, int]]
    share: float = 0.0


@dataclass(slots=True)
class _Draft:
    """A batch that grows."""

    problems: dict[str, tuple[ProblemRow, int]] = field(default_factory=dict)
    solutions: dict[str, tuple[str, SolutionRow, bytes]] = field(default_factory=dict)
    """Of each its problem's content hash, itself, and its steps as they are copied."""
    verdicts: dict[Key, GivenVerdict] = field(default_factory=dict)
    rows: int = 0
    errors: list[tuple[int, str]] = field(default_factory=list)
    notes: list[tuple[str, int]] = field(default_factory=list)
    characters: int = 0
    hashes: dict[str, str] = field(default_factory=dict)
    """Content hash by statement: the solutions of a problem often follow each other."""

    def full(self, most: int) -> bool:
        """Say whether the batch should be stored."""
        many = max(len(self.solutions), len(self.problems))
        # errors and notes count as well: a file of nothing else must not collect in memory
        odd = len(self.errors) + len(self.notes)
        return many + odd >= most or self.characters >= CHARACTERS

    def packed(self) -> Batch:
        """Return what is stored of it."""
        solutions = {}
        for digest, (problem, solution, steps) in sorted(self.solutions.items(), key=_first):
            values = solution_values(solution)
            fields = packing.solution_fields(digest, steps, solution, values)
            solutions[digest] = GivenSolution(problem, values, fields)
        verdicts = {
            key: (verdict, packing.verdict_fields(verdict))
            for key, verdict in sorted(self.verdicts.items(), key=_solution_of)
        }
        return Batch(self.problems, solutions, verdicts, self.rows, self.errors, self.notes)


def batches(rows: Iterable[FileRow], plan: Plan) -> Generator[Batch, None, None]:
    """Read the rows as planned and yield them in batches; a row that cannot be read is an error."""
    batch = _Draft()
    sources: dict[Source, Source] = {}
    for line, value, error in rows:
        batch.rows += 1
        if not error:
            try:
                for row in read_planned(value, plan):
                    _add(batch, row, line, plan, sources)
                    if batch.full(plan.most):
                        yield batch.packed()
                        batch = _Draft()
            except RowError as reason:
                error = str(reason)
        if error:
            batch.errors.append((line, error))
    if batch.rows or batch.problems:
        yield batch.packed()


_first = itemgetter(0)


def _solution_of(verdict: tuple[Key, GivenVerdict]) -> str:
    return verdict[0][1]


def read_planned(value: object, plan: Plan) -> list[ImportRow]:
    """Read the whole row before any of it is taken: a bad row leaves nothing behind."""
    if plan.columns is not None and isinstance(value, dict):
        value = as_native(value, plan.columns)
    return list(read_row(value, plan.reading, plan.form))


def _add(
    batch: _Draft, row: ImportRow, line: int, plan: Plan, sources: dict[Source, Source]
) -> None:
    solution = row.solution
    given = solution.verdicts if plan.labels and solution is not None else ()
    named = [
        (sources.get(verdict.source) or _named(verdict.source, plan, sources), verdict)
        for verdict in given
    ]
    if row.notes:
        batch.notes += [(note, line) for note in row.notes]
    digest = _add_problem(batch, row.problem, line, plan)
    if solution is None:
        return
    steps = framed(solution.steps)
    key = hash_of([*framed((digest,)), *steps])  # solution_hash, of steps that are framed once
    before = batch.solutions.get(key)
    if before is None:
        packed = framed_texts(steps)
        batch.solutions[key] = digest, solution, packed
        batch.characters += len(packed)
    else:
        batch.solutions[key] = digest, _merged(before[1], solution), before[2]
    for source, verdict in named:
        known = batch.verdicts.get((source, key))
        if known is not None and known.first_error != verdict.first_error:
            batch.notes.append((OTHER_LABEL, line))
        batch.verdicts[source, key] = verdict


def _add_problem(batch: _Draft, problem: ProblemRow, line: int, plan: Plan) -> str:
    digest = batch.hashes.get(problem.statement)
    if digest is None:
        digest = batch.hashes[problem.statement] = problem_hash(problem.statement)
    if (plan.source and not problem.source) or (plan.licence and not problem.licence):
        problem = problem._replace(
            source=problem.source or plan.source,
            licence=problem.licence or plan.licence,
        )
    before = batch.problems.get(digest)
    if before is None:
        batch.problems[digest] = problem, line
        batch.characters += len(problem.statement) + len(problem.answer)
    elif before[0] != problem:
        known = before[0]
        if known.answer and problem.answer and known.answer != problem.answer:
            batch.notes.append((OTHER_ANSWER, line))
        batch.problems[digest] = _filled(known, problem), before[1]
    return digest


def _filled(known: ProblemRow, other: ProblemRow) -> ProblemRow:
    return ProblemRow(
        known.statement,
        known.answer or other.answer,
        known.external_id or other.external_id,
        known.source or other.source,
        known.licence or other.licence,
    )


def _merged(known: SolutionRow, other: SolutionRow) -> SolutionRow:
    right = known.final_answer_correct
    return known._replace(
        external_id=known.external_id or other.external_id,
        generator=known.generator or other.generator,
        final_answer=known.final_answer or other.final_answer,
        final_answer_correct=other.final_answer_correct if right is None else right,
        truncated=known.truncated and other.truncated,
    )


def _named(source: Source, plan: Plan, sources: dict[Source, Source]) -> Source:
    """Return a new labeler's kind and name, the plan's in place of what the file leaves open."""
    if len(sources) >= plan.most_labelers:
        raise RowError(
            "labelers: the file names more than {labelers_limit}",
            labelers_limit=plan.most_labelers,
        )
    open_name = source.kind is None or not source.name
    whose = plan.whose if open_name and plan.whose.kind is not None else source
    name = (whose.name or source.name or plan.whose.name)[:NAME_LIMIT]
    sources[source] = named = Source(whose.kind, name)
    return named
