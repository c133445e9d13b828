"""Lease work to workers. The database decides what is left; leases only keep workers apart."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction

from labeling.models import Claim, Run
from labeling.models.runs import RunKind, RunState

LEASE = timedelta(seconds=40)
"""A worker renews its lease every quarter of this; a killed one's chunk is taken over after it."""

# Two workers of one run may look at the same moment: SKIP LOCKED hands each different rows, and
# the unique (run, item) refuses the second should both have read before either inserted.
_CLAIM = """
WITH work AS ({pending} ORDER BY item.id LIMIT %(size)s FOR UPDATE OF item SKIP LOCKED)
INSERT INTO labeling_claim (run_id, item, token, expires_at)
SELECT %(run)s, work.id, %(token)s, %(expires)s FROM work
ON CONFLICT (run_id, item) DO UPDATE
    SET token = excluded.token, expires_at = excluded.expires_at
    WHERE labeling_claim.expires_at <= %(now)s
RETURNING item
"""

_UNCLAIMED = """
AND NOT EXISTS (SELECT 1 FROM labeling_claim c
                WHERE c.run_id = %(run)s AND c.item = item.id AND c.expires_at > %(now)s)
"""

_PENDING_SOLUTIONS = """
SELECT item.id FROM labeling_solution item
WHERE item.project_id = %(project)s
  AND NOT EXISTS (SELECT 1 FROM labeling_verdict v
                  WHERE v.solution_id = item.id AND v.labeler_id = %(labeler)s)
"""

_PENDING_PROBLEMS = """
SELECT item.id FROM labeling_problem item
WHERE item.project_id = %(project)s
  AND NOT EXISTS (SELECT 1 FROM labeling_sampling s
                  WHERE s.problem_id = item.id AND s.config_hash = %(config_hash)s)
  AND (NOT %(unsolved_only)s OR NOT EXISTS (SELECT 1 FROM labeling_solution o
                                            WHERE o.problem_id = item.id))
"""


@transaction.atomic
def claim(*, run: Run, size: int, now: datetime) -> tuple[UUID, list[int]]:
    """Lease up to `size` items (solutions, or problems for generation) of a running run.

    Return the lease's token and the ids, in id order; no ids when the run does not run.
    """
    token = uuid4()
    if not Run.objects.filter(pk=run.pk, state=RunState.RUNNING).exists():
        return token, []
    values = {**_values(run, now), "size": size, "token": token, "expires": now + LEASE}
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM.format(pending=_pending_sql(run) + _UNCLAIMED), values)
        return token, sorted(row[0] for row in cursor.fetchall())


def renew(*, token: UUID, now: datetime) -> int:
    """Extend a lease that is still held; return how many items it still holds."""
    return Claim.objects.filter(token=token).update(expires_at=now + LEASE)


def release(*, token: UUID) -> int:
    """Give a lease back; return how many items it still held."""
    return Claim.objects.filter(token=token).delete()[0]


def sweep(*, now: datetime) -> int:
    """Delete expired leases (their worker is gone); return their number."""
    return Claim.objects.filter(expires_at__lte=now).delete()[0]


def pending(*, run: Run) -> int:
    """Return how many items of the run are not done, leased ones included."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM ({_pending_sql(run)}) AS work",  # noqa: S608 - constants only
            _values(run, None),
        )
        return int(cursor.fetchone()[0])


def _pending_sql(run: Run) -> str:
    return _PENDING_PROBLEMS if run.kind == RunKind.GENERATE else _PENDING_SOLUTIONS


def _values(run: Run, now: datetime | None) -> dict[str, Any]:
    return {
        "run": run.pk,
        "project": run.project_id,
        "labeler": run.labeler_id,
        "config_hash": run.config_hash,
        "unsolved_only": bool(run.config.get("unsolved_only")),
        "now": now,
    }
