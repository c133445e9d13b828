"""Lease work to workers. The database decides what is left; leases only keep workers apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from labeling.models import Claim, Run
from labeling.models.runs import RunKind, RunState

LEASE = timedelta(seconds=40)
"""A worker renews its lease every quarter of this; a killed one's items are taken over after it."""

NEAR = 5_000
"""Problems in which work is looked for one by one; further on by a pass over all."""

# Two workers of one run may look at the same moment: SKIP LOCKED hands each different problems, and
# the unique (run, item) refuses the second should both have read before either inserted. All
# solutions of a problem go to one worker, which then samples what they share once.
_CLAIM_SOLUTIONS = """
WITH free AS (
    SELECT p.id FROM labeling_problem p
    WHERE p.project_id = %(project)s AND p.{among}
      AND EXISTS (SELECT 1 FROM labeling_solution item
                  WHERE item.problem_id = p.id AND {pending} AND {ready} AND {unclaimed})
    ORDER BY p.id LIMIT %(size)s FOR NO KEY UPDATE SKIP LOCKED
), work AS (
    SELECT item.id, item.problem_id,
           count(*) OVER (ORDER BY item.problem_id) - count(*) OVER (PARTITION BY item.problem_id)
               AS before
    FROM labeling_solution item
    WHERE item.problem_id IN (SELECT id FROM free) AND {pending} AND {ready} AND {unclaimed}
), taken AS (
    INSERT INTO labeling_claim (run_id, item, token, expires_at)
    SELECT %(run)s, work.id, %(token)s, %(expires)s FROM work WHERE before < %(size)s
    {or_take_over}
)
SELECT taken.item, work.problem_id FROM taken JOIN work ON work.id = taken.item
ORDER BY work.problem_id, taken.item
"""

_CLAIM_PROBLEMS = """
WITH work AS (
    SELECT item.id FROM labeling_problem item
    WHERE item.project_id = %(project)s AND item.{among}
      AND {pending} AND {unclaimed}
    ORDER BY item.id LIMIT %(size)s FOR NO KEY UPDATE SKIP LOCKED
), taken AS (
    INSERT INTO labeling_claim (run_id, item, token, expires_at)
    SELECT %(run)s, work.id, %(token)s, %(expires)s FROM work
    {or_take_over}
)
SELECT item, item FROM taken ORDER BY item
"""

_OR_TAKE_OVER = """
    ON CONFLICT (run_id, item) DO UPDATE
        SET token = excluded.token, expires_at = excluded.expires_at
        WHERE labeling_claim.expires_at <= %(now)s
    RETURNING item
"""

_UNCLAIMED = """
NOT EXISTS (SELECT 1 FROM labeling_claim c
            WHERE c.run_id = %(run)s AND c.item = item.id AND c.expires_at > %(now)s)
"""

_SOLUTION_PENDING = """
NOT EXISTS (SELECT 1 FROM labeling_verdict v
            WHERE v.solution_id = item.id AND v.labeler_id = %(labeler)s)
"""

# Estimation in mode "consensus" needs the judge's word first.
_SOLUTION_READY = """
(%(judge)s = '' OR EXISTS (SELECT 1 FROM labeling_verdict v JOIN labeling_labeler l
                           ON l.id = v.labeler_id AND l.uid = %(judge)s
                           WHERE v.solution_id = item.id))
"""

_PROBLEM_PENDING = """
NOT EXISTS (SELECT 1 FROM labeling_sampling s
            WHERE s.problem_id = item.id AND s.config_hash = %(config_hash)s)
AND (NOT %(unsolved_only)s OR NOT EXISTS (SELECT 1 FROM labeling_solution o
                                          WHERE o.problem_id = item.id))
"""

_PENDING = "SELECT 1 FROM {table} item WHERE item.project_id = %(project)s AND {pending}"

_NEAR = "id BETWEEN %(after)s + 1 AND %(until)s"
_FOUND = "id = ANY(%(found)s)"

# Where there is work, found by one pass over all: going from problem to problem takes many times
# as long where little is left among a million. MATERIALIZED keeps Postgres from doing just that.
_FIRST = """
WITH work AS MATERIALIZED (
    SELECT item.{problem} AS problem FROM {table} item
    WHERE item.project_id = %(project)s AND item.{problem} > %(after)s
      AND {pending} AND {ready} AND {unclaimed}
)
SELECT DISTINCT problem FROM work ORDER BY problem LIMIT %(size)s
"""


@dataclass(frozen=True, slots=True)
class Lease:
    """Items leased to a worker, the solutions of one problem side by side.

    `last` is the last item's problem: asking for what comes after it skips what is done already.
    """

    items: tuple[int, ...]
    last: int


@transaction.atomic
def claim(*, run: Run, token: UUID, size: int, now: datetime, after: int = 0) -> Lease:
    """Lease about `size` items (solutions, or problems for generation) of a running run.

    Only items of problems after the id `after` are looked at, and all of a problem's solutions are
    leased together. No items when the run does not run, or rests. A worker adds to its lease by
    its token.
    """
    running = Run.objects.filter(pk=run.pk, state=RunState.RUNNING)
    if not running.exclude(retry_at__gt=now).exists():
        return Lease((), after)
    values = _values(run) | {"size": size, "token": token, "expires": now + LEASE, "now": now}
    with connection.cursor() as cursor:
        near = {"after": after, "until": after + NEAR}
        rows = _rows(cursor, _claim_sql(run, _NEAR), values | near)
        behind = after
        # what the pass found may all be locked, by another worker or a correction: there is more
        while not rows and (found := _found(cursor, run, values, behind)):
            rows = _rows(cursor, _claim_sql(run, _FOUND), values | {"found": found})
            behind = found[-1]
    return Lease(tuple(row[0] for row in rows), max((row[1] for row in rows), default=after))


def _found(cursor: Any, run: Run, values: dict[str, Any], behind: int) -> list[int]:
    return [row[0] for row in _rows(cursor, _first_sql(run), values | {"after": behind})]


def _rows(cursor: Any, sql: str, values: dict[str, Any]) -> list[tuple[int, ...]]:
    cursor.execute(sql, values)
    rows: list[tuple[int, ...]] = cursor.fetchall()
    return rows


def renew(*, token: UUID, now: datetime) -> int:
    """Extend a lease that is still held; return how many items it still holds."""
    return Claim.objects.filter(token=token).update(expires_at=now + LEASE)


def release(*, token: UUID, items: Sequence[int] | None = None) -> int:
    """Give a lease back, or only these items of it; return how many it still held."""
    held = Claim.objects.filter(token=token)
    return (held if items is None else held.filter(item__in=items)).delete()[0]


def sweep(*, now: datetime) -> int:
    """Delete expired leases (their worker is gone); return their number."""
    return Claim.objects.filter(expires_at__lte=now).delete()[0]


def pending(*, run: Run) -> int:
    """Return how many items of the run are not done, leased ones included."""
    return int(_first(f"SELECT count(*) FROM ({_pending_sql(run)}) AS work", run))  # noqa: S608 - constants only


def is_anything_left(*, run: Run) -> bool:
    """Say whether any item of the run is not done; cheaper than counting."""
    return bool(_first(f"SELECT EXISTS ({_pending_sql(run)})", run))


def _first(sql: str, run: Run) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, _values(run))
        return cursor.fetchone()[0]


def _claim_sql(run: Run, among: str) -> str:
    if run.kind == RunKind.GENERATE:
        return _CLAIM_PROBLEMS.format(
            among=among, pending=_PROBLEM_PENDING, unclaimed=_UNCLAIMED, or_take_over=_OR_TAKE_OVER
        )
    return _CLAIM_SOLUTIONS.format(
        among=among,
        pending=_SOLUTION_PENDING,
        ready=_SOLUTION_READY,
        unclaimed=_UNCLAIMED,
        or_take_over=_OR_TAKE_OVER,
    )


def _first_sql(run: Run) -> str:
    if run.kind == RunKind.GENERATE:
        return _FIRST.format(
            table="labeling_problem", problem="id",
            pending=_PROBLEM_PENDING, ready="true", unclaimed=_UNCLAIMED,
        )  # fmt: skip
    return _FIRST.format(
        table="labeling_solution", problem="problem_id",
        pending=_SOLUTION_PENDING, ready=_SOLUTION_READY, unclaimed=_UNCLAIMED,
    )  # fmt: skip


def _pending_sql(run: Run) -> str:
    if run.kind == RunKind.GENERATE:
        return _PENDING.format(table="labeling_problem", pending=_PROBLEM_PENDING)
    return _PENDING.format(table="labeling_solution", pending=_SOLUTION_PENDING)


def _values(run: Run) -> dict[str, Any]:
    return {
        "run": run.pk,
        "project": run.project_id,
        "labeler": run.labeler_id,
        "config_hash": run.config_hash,
        "unsolved_only": bool(run.config.get("unsolved_only")),
        "judge": run.config.get("judge", ""),
    }
