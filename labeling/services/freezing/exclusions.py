"""What a rule leaves out, found before the export in temporary tables: memory does not grow.

Statements are compared by their key (labeling.domain.releases), solutions by their text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet

from labeling.domain.hashing import content_hash
from labeling.domain.releases import EVALUATION_SET, Rule, statement_key
from labeling.models import Decision, Labeler, Problem, Project, Solution, Verdict
from labeling.selectors.labels import Query, query, up_to_limit
from labeling.services.importing import copying

_CHUNK = 5000
_TABLES = {
    "problem_key": "id bigint, key text, split text, evaluation_set text",
    "left_out_problem": "id bigint, reason text, evaluation_set text",
    "left_out_solution": "id bigint",
}
_OVERLAP = """INSERT INTO left_out_problem
SELECT DISTINCT ON (k.id) k.id, 'evaluation', e.evaluation_set FROM problem_key k
JOIN problem_key e ON e.key = k.key AND e.evaluation_set <> '' WHERE k.evaluation_set = ''
ORDER BY k.id, e.evaluation_set"""
_OTHER_SIDE = """INSERT INTO left_out_problem
SELECT k.id, 'other_side', '' FROM problem_key k WHERE k.evaluation_set = '' AND k.split = 'train'
AND EXISTS (SELECT FROM problem_key o
  WHERE o.key = k.key AND o.evaluation_set = '' AND o.split = 'test')
AND NOT EXISTS (SELECT FROM left_out_problem x WHERE x.id = k.id)"""
_TWINS = """INSERT INTO left_out_solution SELECT id FROM (
  SELECT s.id, row_number() OVER (
    PARTITION BY (SELECT k.key FROM problem_key k WHERE k.id = p.id AND k.evaluation_set = ''),
    md5(lower(translate(array_to_string(s.steps, ''), E' \\t\\r\\n', '')))
    ORDER BY s.content_hash
  ) AS number {rows}
) found WHERE number > 1"""


def apply(project: Project, rule: Rule) -> tuple[Query, dict[str, Any], int]:
    """Return the query of what stays, how many solutions do not for which reason, how many do.

    Within a transaction; the temporary tables live as long as it does. `evaluation_problems` counts
    problems by evaluation set; all other counts are solutions.
    """
    picked = query(project, rule)
    solutions = Solution.objects.filter(project=project).count()
    counts = _not_picked(project, rule, solutions)
    if rule.dedup or rule.without:
        _make_tables()
        _write_keys(Problem.objects.filter(project=project), "")
        for name in rule.without:
            _write_keys(problems_of(project, name), name)
        _execute(_OVERLAP)
        if rule.dedup:
            _execute(_OTHER_SIDE)
        counts |= _by_problem(picked)
        if rule.dedup:
            counts["duplicates"] = _leave_out_twins(picked)
        picked = picked.without()
    within = up_to_limit(picked, rule)
    if within is not picked:
        counts["beyond_limit"] = picked.ask("count(*)")[0][0] - within.ask("count(*)")[0][0]
    rest = solutions - sum(n for name, n in counts.items() if name != "evaluation_problems")
    return within, {name: n for name, n in counts.items() if n}, rest


def problems_of(project: Project, evaluation_set: str) -> QuerySet[Problem]:
    """Return the problems of an evaluation set (labeling.domain.releases.EVALUATION_SET)."""
    match = EVALUATION_SET.fullmatch(evaluation_set)
    kind, name = match.groups() if match else ("", "")
    if kind == "project":
        return Problem.objects.filter(project__uid=name)
    named = Q(source=name) | Q(source__startswith=f"{name}/")
    return Problem.objects.filter(named, project=project)


def _not_picked(project: Project, rule: Rule, solutions: int) -> dict[str, Any]:
    """Count which of so many solutions have a state that the rule does not take."""
    if rule.labeler:
        said = _by_state(Verdict.objects.filter(labeler__uid=rule.labeler))
        without = solutions - sum(said.values())
        said.pop("scored", None)
        return {"not_labeled": without, **said}
    states = _by_state(Decision.objects.filter(project=project))
    left = {state: n for state, n in states.items() if state not in rule.states}
    left["undecided"] = left.get("undecided", 0) + solutions - sum(states.values())
    return dict(left)


def _by_state(rows: QuerySet[Any]) -> dict[str, int]:
    return dict(rows.values_list("state").annotate(n=Count("pk")).order_by("state"))


def _make_tables() -> None:
    for name, columns in _TABLES.items():
        _execute(f"DROP TABLE IF EXISTS pg_temp.{name}")
        _execute(f"CREATE TEMPORARY TABLE {name} ({columns}) ON COMMIT DROP")
        _execute(f"CREATE INDEX ON {name} (id)")
    _execute("CREATE INDEX ON problem_key (key)")


def _write_keys(problems: QuerySet[Problem], evaluation_set: str) -> None:
    rows = problems.values_list("pk", "statement", "split").order_by("pk")
    for chunk in _chunks(rows.iterator(chunk_size=_CHUNK)):
        fields = (
            b"".join((
                copying.int8(pk), copying.text(content_hash([statement_key(statement)])),
                copying.word(split), copying.word(evaluation_set),
            ))
            for pk, statement, split in chunk
        )  # fmt: skip
        copying.copy("problem_key", ("id", "key", "split", "evaluation_set"), fields)
    _execute("ANALYZE problem_key")


def _chunks(rows: Iterable[Any]) -> Iterator[list[Any]]:
    remaining = iter(rows)
    while chunk := list(islice(remaining, _CHUNK)):
        yield chunk


def _by_problem(picked: Query) -> dict[str, Any]:
    """Count the solutions, and by evaluation set the problems, that the table leaves out."""
    there = "EXISTS (SELECT FROM left_out_problem x WHERE x.id = p.id AND x.reason = %(reason)s)"
    counts: dict[str, Any] = {
        name: picked.where(there, reason=name).ask("count(*)")[0][0]
        for name in ("evaluation", "other_side")
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT evaluation_set, count(*) FROM left_out_problem "
            "WHERE reason = 'evaluation' GROUP BY 1 ORDER BY 1"
        )
        counts["evaluation_problems"] = dict(cursor.fetchall())
    return counts


def _leave_out_twins(picked: Query) -> int:
    rest = picked.where("NOT EXISTS (SELECT FROM left_out_problem x WHERE x.id = p.id)")
    with connection.cursor() as cursor:
        cursor.execute(_TWINS.format(rows=rest.rows), rest.values)
        found = cursor.rowcount
        cursor.execute("ANALYZE left_out_solution")
    return found


def _execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def names_of_labelers(project: Project) -> dict[str, str]:
    """Return what a card says of each labeler by its name in records: machines' names, no person's.

    See labeling.selectors.labels.speakers.
    """
    return {
        f"{row.kind}:{row.config_hash[:12]}": "a person" if row.user_id else row.name
        for row in Labeler.objects.filter(project=project).order_by("pk")
    }
