"""A dry run's ledger: it writes nothing into the project and counts what an import would write."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any

from django.db import DatabaseError, connection

from labeling.domain.formats import Source
from labeling.domain.hashing import config_hash
from labeling.models import Labeler, Project
from labeling.services.importing.batches import Batch, Key
from labeling.services.importing.changes import Changes, Known, compare
from labeling.services.importing.ledgers import read_known
from labeling.services.importing.values import (
    KnownProblem,
    KnownSolution,
    Said,
    problem_values,
    said,
)

_UPSERT = (
    "INSERT INTO import_seen SELECT * FROM unnest(%s::text[], %s::text[])"
    " ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)


class Imagined:
    """Counts; what earlier batches of the file would have left is kept in a temporary table, so
    that memory does not grow with the file. Use it in a `with` statement."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._labelers: dict[Source, Labeler] = {}
        self._asked: set[Source] = set()

    def __enter__(self) -> Imagined:
        _execute("DROP TABLE IF EXISTS import_seen")
        _execute("CREATE TEMPORARY TABLE import_seen (key text PRIMARY KEY, value text NOT NULL)")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(DatabaseError):  # a broken transaction or connection takes it along
            _execute("DROP TABLE IF EXISTS import_seen")

    def take(self, batch: Batch) -> Changes:
        """Return what storing the batch would change."""
        self._find_labelers({source for source, _ in batch.verdicts})
        known = self._with_seen(batch, read_known(self._project.pk, batch, self._labelers))
        changes = compare(batch, known)
        self._note(batch, changes, known)
        return changes

    def _find_labelers(self, sources: set[Source]) -> None:
        for source in sources - self._asked:
            self._asked.add(source)
            found = Labeler.objects.filter(
                project=self._project,
                kind=source.kind,
                config_hash=config_hash({"imported": source.name}),
            ).first()
            if found is not None:
                self._labelers[source] = found

    def _with_seen(self, batch: Batch, known: Known) -> Known:
        keys = [*map(_problem, batch.problems), *map(_solution, batch.solutions)]
        keys += map(_verdict, batch.verdicts)
        with connection.cursor() as cursor:
            cursor.execute("SELECT key, value FROM import_seen WHERE key = ANY(%s)", [keys])
            seen = {key: json.loads(value) for key, value in cursor.fetchall()}
        return Known(
            dict(known.problems)
            | {
                d: KnownProblem(0, *seen[_problem(d)])
                for d in batch.problems
                if _problem(d) in seen
            },
            dict(known.solutions)
            | {
                d: KnownSolution(0, *seen[_solution(d)])
                for d in batch.solutions
                if _solution(d) in seen
            },
            dict(known.verdicts)
            | {k: (0, _said(seen[_verdict(k)])) for k in batch.verdicts if _verdict(k) in seen},
        )

    def _note(self, batch: Batch, changes: Changes, known: Known) -> None:
        values: dict[str, Any] = {}
        for digest in changes.problems:
            values[_problem(digest)] = problem_values(batch.problems[digest][0])
        for digest, fills in changes.problem_fills.items():
            values[_problem(digest)] = known.problems[digest]._replace(**fills)[1:]
        for digest in changes.solutions:
            values[_solution(digest)] = batch.solutions[digest].values
        for digest, fills in changes.solution_fills.items():
            values[_solution(digest)] = known.solutions[digest]._replace(**fills)[1:]
        for key in (*changes.verdicts, *changes.relabels):
            values[_verdict(key)] = said(batch.verdicts[key][0])
        _execute(_UPSERT, [list(values), [json.dumps(value) for value in values.values()]])


def _problem(digest: str) -> str:
    return f"p{digest}"


def _solution(digest: str) -> str:
    return f"s{digest}"


def _verdict(key: Key) -> str:
    source, digest = key
    return f"v{digest}{source.kind}:{source.name}"


def _said(values: Iterable[Any]) -> Said:
    return Said._make(tuple(value) if isinstance(value, list) else value for value in values)


def _execute(sql: str, values: list[Any] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
