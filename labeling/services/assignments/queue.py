"""Which solution a person gets next, locked for them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection

from labeling.domain.assignments import Purpose
from labeling.models import Project, User
from labeling.services.assignments import places

# The most valuable solution of a kind that this person neither labeled nor skipped and that fewer
# people hold or have labeled than the overlap asks for. Two people may ask at the same moment:
# the decision row's lock (SKIP LOCKED) hands them different solutions.
_NEXT = """
SELECT d.solution_id FROM labeling_decision d
WHERE d.project_id = %(project)s AND {kind}
  AND NOT EXISTS (SELECT 1 FROM labeling_assignment mine
                  WHERE mine.solution_id = d.solution_id AND mine.user_id = %(user)s)
  AND (SELECT count(*) FROM labeling_assignment a
       WHERE a.solution_id = d.solution_id AND a.user_id <> %(user)s AND a.skipped_at IS NULL
         AND (a.submitted_at IS NOT NULL OR a.expires_at > %(now)s)) < %(overlap)s
ORDER BY d.priority DESC, d.solution_id
LIMIT 1 FOR UPDATE OF d SKIP LOCKED
"""

_DISPUTED = "d.state = 'disputed'"

# What the machines left open, unless they are still at work on it.
_LEFT_OPEN = """d.state = 'undecided' AND NOT EXISTS (
    SELECT 1 FROM labeling_run r
    WHERE r.project_id = d.project_id AND r.kind IN ('mc', 'judge')
      AND r.state IN ('running', 'paused'))"""

# Decided by the labels of an imported file alone: nobody of this project has labeled it.
_IMPORTED = """d.state = 'adjudicated' AND NOT EXISTS (
    SELECT 1 FROM labeling_verdict v JOIN labeling_labeler l ON l.id = v.labeler_id
    WHERE v.solution_id = d.solution_id AND l.user_id IS NOT NULL)"""


def draw(*, by: User, project: Project, now: datetime) -> tuple[Purpose, int] | None:
    """Return why and which solution (its id) the person gets next; None when nothing is left."""
    solution_id = _to_label(by, project, now)
    return None if solution_id is None else (Purpose.LABEL, solution_id)


def _to_label(by: User, project: Project, now: datetime) -> int | None:
    values: dict[str, Any] = {
        "project": project.pk,
        "user": by.pk,
        "now": now,
        "overlap": project.policy.human_overlap,
    }
    kinds = [_DISPUTED, _LEFT_OPEN, *([_IMPORTED] if project.policy.check_imported else [])]
    for kind in kinds:
        while (solution_id := _first(_NEXT.format(kind=kind), values)) is not None:
            # Somebody may have been given it after our query began and before it got here: the
            # row is not changed by a lease, so only a second look under its lock can tell.
            if places.is_free(project, solution_id, by.pk, now):
                return solution_id
    return None


def _first(query: str, values: dict[str, Any]) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        row = cursor.fetchone()
    return int(row[0]) if row else None
