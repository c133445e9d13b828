"""What a snapshot rule picks, streamed in a reproducible order: one query, no row held back.

Raw SQL, rows in binary and in chunks: an export of a million solutions spends its time here.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, cast

import psycopg
from django.db import connection
from psycopg.adapt import Transformer
from psycopg.pq import Format
from psycopg.types.string import ByteaBinaryLoader

from labeling.domain.labels import LabelerKind
from labeling.domain.release_rows import FRAMES, Said, Speaker, Texts, Writer
from labeling.domain.releases import Rule, Target
from labeling.models import Labeler, Project
from trainer.records import Record, from_json

_AT_ONCE = 100
"""Rows that are fetched together: some 250 kB, which a core's own cache holds."""

_TEXTS = 12
"""So many columns are Texts, those behind them Said."""

_INT2S, _INT8S = (psycopg.adapters.types[name].array_oid for name in ("int2", "int8"))

_BY_DECISION = """
FROM labeling_decision d
JOIN labeling_solution s ON s.id = d.solution_id
JOIN labeling_problem p ON p.id = s.problem_id
LEFT JOIN labeling_verdict v ON v.id = d.follows_from[1]
LEFT JOIN labeling_verdict w ON w.id = d.follows_from[2]
{counts} {critiques}
WHERE d.project_id = %(project)s AND s.project_id = %(project)s AND d.state = ANY(%(states)s)"""
_BY_LABELER = """
FROM labeling_verdict v
JOIN labeling_solution s ON s.id = v.solution_id
JOIN labeling_problem p ON p.id = s.problem_id
{critiques}
WHERE v.labeler_id = %(labeler)s AND v.state = 'scored'"""

# Almost every decision follows from at most two verdicts: those are joined, the rest looked up.
_DECIDED = """d.first_error, coalesce(v.step_labels, '{{}}'), {mc_k}, {mc_n}, {mc_labeler},
d.state, CASE WHEN cardinality(d.follows_from) > 2
THEN (SELECT array_agg(x.labeler_id) FROM labeling_verdict x WHERE x.id = ANY(d.follows_from))
ELSE array_remove(ARRAY[v.labeler_id, w.labeler_id], NULL) END, d.policy_version"""
_SAID = """v.first_error, v.step_labels, v.mc_k, v.mc_n, v.labeler_id,
%(kind)s::text, ARRAY[v.labeler_id], NULL::int4"""
_ALL = """SELECT s.content_hash, p.content_hash, p.statement, s.steps, p.answer, s.final_answer,
s.generator, p.licence, p.external_id, s.external_id, p.source, {critique},
p.split, s.final_answer_correct, {labels}, {critic}"""

_CRITIQUES = """LEFT JOIN LATERAL (
  SELECT x.critique, x.labeler_id FROM labeling_verdict x
  WHERE x.solution_id = s.id AND x.labeler_id = ANY(%(judges)s) AND x.state = 'scored'
  AND x.first_error = {first_error} AND x.critique <> '' ORDER BY x.id LIMIT 1
) c ON true"""
_ONE_MC = """LEFT JOIN labeling_verdict m ON m.labeler_id = %(mc)s AND m.solution_id = s.id
AND m.state = 'scored'"""
_LATEST_MC = """LEFT JOIN (
  SELECT DISTINCT ON (solution_id) solution_id, labeler_id, mc_k, mc_n FROM labeling_verdict
  WHERE labeler_id = ANY(%(mcs)s) AND state = 'scored' ORDER BY solution_id, id DESC
) m ON m.solution_id = s.id"""
_LEFT_OUT = """
AND NOT EXISTS (SELECT FROM left_out_problem x WHERE x.id = p.id)
AND NOT EXISTS (SELECT FROM left_out_solution x WHERE x.id = s.id)"""
"""Temporary tables of ids that labeling.services.freezing makes."""


@dataclass(frozen=True, slots=True)
class Query:
    """The rows that a rule picks: their FROM and WHERE, and the columns read of them."""

    columns: str
    rows: str
    values: dict[str, Any]

    def without(self) -> Query:
        """Return the query without what the temporary tables hold."""
        return Query(self.columns, self.rows + _LEFT_OUT, self.values)

    def where(self, condition: str, **values: Any) -> Query:
        """Return the query with one more condition."""
        return Query(self.columns, f"{self.rows}\nAND {condition}", {**self.values, **values})

    @contextmanager
    def stream(self) -> Iterator[Iterator[tuple[Texts, Said]]]:
        """Give the rows by the solutions' content hash; few distinct objects are Said.

        The connection can do nothing else within, and anything after it, even where rows are left.
        """
        connection.ensure_connection()
        cursor = psycopg.Cursor(connection.connection)
        for array in (_INT2S, _INT8S):
            cursor.adapters.register_loader(array, ByteaBinaryLoader)
        said = _reader()
        sql = f"{self.columns} {self.rows} ORDER BY s.content_hash"
        rows = cursor.stream(sql, self.values, binary=True, size=_AT_ONCE)
        # It holds the connection's lock until it is closed: a traceback may keep it long.
        with closing(cast("Generator[tuple[Any, ...]]", rows)):
            yield ((row[:_TEXTS], said(row[_TEXTS:])) for row in rows)

    def ask(self, what: str) -> list[tuple[Any, ...]]:
        """Return `what` of the rows; it may go on behind WHERE from a "$"."""
        head, _, tail = what.partition("$")
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {head} {self.rows} {tail}", self.values)
            return cursor.fetchall()


def query(project: Project, rule: Rule) -> Query:
    """Return the query of the solutions that the rule picks."""
    known = Labeler.objects.filter(project=project)
    active = known.filter(active=True).order_by("pk")
    mcs = list(active.filter(kind=LabelerKind.MC).values_list("pk", flat=True))
    values: dict[str, Any] = {
        "project": project.pk,
        "states": sorted(str(state) for state in rule.states),
        "mcs": mcs,
        "mc": mcs[0] if mcs else None,
        "judges": list(active.filter(kind=LabelerKind.JUDGE).values_list("pk", flat=True)),
    }
    critique, critic = "NULL::text", "NULL::int8"
    if rule.critiques:
        critique, critic = "c.critique", "c.labeler_id"
    first_error = "v.first_error" if rule.labeler else "d.first_error"
    critiques = _CRITIQUES.format(first_error=first_error) if rule.critiques else ""
    if rule.labeler:
        one = known.get(uid=rule.labeler)
        values |= {"labeler": one.pk, "kind": one.kind}
        labels, rows = _SAID, _BY_LABELER.format(critiques=critiques)
    else:
        labels = _DECIDED.format(**_mc_columns(bool(mcs)))
        counts = _ONE_MC if len(mcs) == 1 else _LATEST_MC if mcs else ""
        rows = _BY_DECISION.format(counts=counts, critiques=critiques)
    return Query(_ALL.format(labels=labels, critique=critique, critic=critic), rows, values)


def _reader() -> Callable[[tuple[Any, ...]], Said]:
    """Return what reads columns as Said: arrays are still bytes, for equal ones are read once."""
    loaders = Transformer()
    int2s, int8s = (loaders.get_loader(of, Format.BINARY).load for of in (_INT2S, _INT8S))

    @lru_cache(maxsize=FRAMES)
    def read(columns: tuple[Any, ...]) -> Said:
        split, correct, first_error, labels, k, n, mc, source, labelers, policy, critic = columns
        labels, k, n = (tuple(int2s(numbers)) for numbers in (labels, k, n))
        people = tuple(int8s(labelers))
        return Said(split, correct, first_error, labels, k, n, mc, source, people, policy, critic)

    return read


def _mc_columns(any_mc: bool) -> dict[str, str]:
    if not any_mc:
        return {"mc_k": "'{}'::int2[]", "mc_n": "'{}'::int2[]", "mc_labeler": "NULL::int8"}
    return {
        "mc_k": "coalesce(m.mc_k, '{}')",
        "mc_n": "coalesce(m.mc_n, '{}')",
        "mc_labeler": "m.labeler_id",
    }


def up_to_limit(picked: Query, rule: Rule) -> Query:
    """Return the query with as few training solutions behind the limit as SQL can tell."""
    if rule.limit is None or rule.target is Target.SOFT:
        return picked
    last = picked.where("p.split = 'train'").ask(
        f"s.content_hash $ ORDER BY s.content_hash OFFSET {rule.limit - 1} LIMIT 1"
    )
    if not last:
        return picked
    return picked.where("(p.split <> 'train' OR s.content_hash <= %(last)s)", last=last[0][0])


def speakers(project: Project) -> dict[int, Speaker]:
    """Return the labelers as records name them: kind and configuration, no person's name."""
    rows = Labeler.objects.filter(project=project)
    return {
        row.pk: Speaker(
            f"{row.kind}:{row.config_hash[:12]}",
            row.config.get("mode") if row.kind == LabelerKind.MC else None,
        )
        for row in rows
    }


def labeled_records(
    project: Project, rule: Rule, split: str, limit: int | None = None
) -> Iterator[Record]:
    """Stream the records of one split as they stand now, at most `limit`; see Query.stream."""
    writer = Writer(rule, speakers(project))
    picked = query(project, rule).where("p.split = %(split)s", split=split)
    with picked.stream() as rows:
        lines = (writer.line(*row)[0].decode() for row in rows)
        yield from map(from_json, islice(filter(None, lines), limit))
