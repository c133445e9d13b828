"""Queries for solutions that a person may be given; each comes with its decision locked.

Two people may ask at the same moment: the locks (SKIP LOCKED) hand them different solutions.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from random import Random
from typing import Any

from django.db import connection

from labeling.domain.ordering import give_up_limit
from labeling.models import Project, User

DISPUTED = "d.state = 'disputed'"

# What the machines left open, unless they are still at work on it.
_LEFT_OPEN = """d.state = 'undecided' AND NOT EXISTS (
    SELECT 1 FROM labeling_run r
    WHERE r.project_id = d.project_id AND r.kind IN ('mc', 'judge')
      AND r.state IN ('running', 'paused'))"""

# Decided by the labels of an imported file alone: nobody of this project has labeled it.
_IMPORTED = """d.state = 'adjudicated' AND NOT EXISTS (
    SELECT 1 FROM labeling_verdict v JOIN labeling_labeler l ON l.id = v.labeler_id
    WHERE v.solution_id = d.solution_id AND l.user_id IS NOT NULL)"""

# Wanted by the policy, not given up by too many, not all places held by others, and never given
# to this person. The sub-selects do not depend on the row: they are run once and hashed, so that
# passing by thousands of rows at the top costs little.
_FITS = """d.project_id = %(project)s AND d.places > 0 AND d.gave_up < %(give_up)s
  AND d.solution_id NOT IN ({full})
  AND d.solution_id NOT IN (
    SELECT mine.solution_id FROM labeling_assignment mine
    WHERE mine.project_id = %(project)s AND mine.user_id = %(user)s)
  AND d.solution_id <> ALL(%(tried)s)"""

_HELD = """SELECT a.solution_id FROM labeling_assignment a {join}
    WHERE a.project_id = %(project)s AND a.user_id <> %(user)s
      AND a.submitted_at IS NULL AND a.skipped_at IS NULL AND a.expires_at > %(now)s"""

# With an overlap of one, whatever is held is full: no need to look up how many are wanted.
_FITS_ALONE = _FITS.format(full=_HELD.format(join=""))
_FITS_SHARED = _FITS.format(
    full=_HELD.format(join="JOIN labeling_decision f ON f.solution_id = a.solution_id")
    + " GROUP BY a.solution_id, f.places HAVING count(*) >= f.places"
)

_MOST_VALUABLE = """
SELECT d.solution_id FROM labeling_decision d WHERE {state} AND {fits}
ORDER BY d.priority DESC, d.solution_id LIMIT 1 FOR UPDATE OF d SKIP LOCKED
"""

# In the index's order, though all have priority 0: by id alone the planner would walk through the
# solutions of every other project.
_END = """
SELECT d.solution_id FROM labeling_decision d
WHERE d.project_id = %(project)s AND d.state = 'consensus' AND d.places > 0
ORDER BY d.priority {0}, d.solution_id {1} LIMIT 1
"""

# Of the numbers drawn, the first that is such a solution.
_DRAWN = """
SELECT d.solution_id FROM unnest(%(drawn)s::bigint[]) WITH ORDINALITY AS drawn(id, place)
JOIN labeling_decision d ON d.solution_id = drawn.id
WHERE d.state = 'consensus' AND {fits}
ORDER BY drawn.place LIMIT 1 FOR UPDATE OF d SKIP LOCKED
"""

_FOLLOWING = """
SELECT d.solution_id FROM labeling_decision d
WHERE d.state = 'consensus' AND d.priority = 0 AND d.solution_id >= %(start)s AND {fits}
ORDER BY d.solution_id LIMIT 1 FOR UPDATE OF d SKIP LOCKED
"""

_ROUNDS = (64, 1024, 8192)
"""Numbers drawn per round."""


def states(project: Project) -> list[str]:
    """Return the conditions on what people label, the most pressing first."""
    return [DISPUTED, _LEFT_OPEN, *([_IMPORTED] if project.policy.check_imported else [])]


def most_valuable(by: User, project: Project, now: datetime, state: str) -> Iterator[int]:
    """Yield solutions (ids) of this state by value, each once, until there are no more."""
    values, fits = _values(by, project, now), _fits(project)
    while (found := _one(_MOST_VALUABLE.format(state=state, fits=fits), values)) is not None:
        yield found
        values["tried"].append(found)


def of_the_consensus(by: User, project: Project, now: datetime, seed: int) -> Iterator[int]:
    """Yield solutions (ids) of the consensus, each of the remaining ones with equal chance.

    Ids are drawn between the smallest and the largest, and those that are no such solution thrown
    away. Only where next to none is left does the nearest above a drawn id serve.
    """
    values, fits = _values(by, project, now), _fits(project)
    low = _one(_END.format("DESC", "ASC"), values)
    high = _one(_END.format("ASC", "DESC"), values)
    if low is None or high is None:
        return
    random = Random(f"{project.pk}/{by.pk}/{seed}")  # noqa: S311 - a sample, not a secret
    for size in _ROUNDS:
        values["drawn"] = [random.randint(low, high) for _ in range(size)]
        while (found := _one(_DRAWN.format(fits=fits), values)) is not None:
            yield found
            values["tried"].append(found)
    for values["start"] in (random.randint(low, high), low):
        while (found := _one(_FOLLOWING.format(fits=fits), values)) is not None:
            yield found
            values["tried"].append(found)


def _fits(project: Project) -> str:
    return _FITS_ALONE if project.policy.human_overlap == 1 else _FITS_SHARED


def _values(by: User, project: Project, now: datetime) -> dict[str, Any]:
    return {
        "project": project.pk,
        "user": by.pk,
        "now": now,
        "give_up": give_up_limit(project.policy.human_overlap),
        "tried": [],
    }


def _one(query: str, values: dict[str, Any]) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        row = cursor.fetchone()
    return None if row is None or row[0] is None else int(row[0])
