"""People's answers against keys and each other, and their pace: counted in SQL, by person.

Every query starts from the adjudicators' verdicts or from people's assignments, of which there
are thousands; none reads the millions of machine verdicts. Answers that a person gave after
seeing the evidence are no measure of them and stay out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import connection

from labeling.domain.quality import Accuracy, Against, Pace
from labeling.domain.statistics.confusion import Confusion
from labeling.models import Project

# The latest adjudicator's first error per solution: selectors.gold.key, for many at once.
KEYS = """
keys AS (
    SELECT DISTINCT ON (v.solution_id) v.solution_id, v.first_error, l.user_id
    FROM labeling_labeler l JOIN labeling_verdict v ON v.labeler_id = l.id
    WHERE l.project_id = %(project)s AND l.kind = 'adjudicator' AND l.active
      AND v.state = 'scored'
    ORDER BY v.solution_id, v.id DESC
)"""

# What people said of solutions with a key that is not their own.
_ANSWERS = """
FROM keys k
JOIN labeling_assignment a ON a.solution_id = k.solution_id AND a.submitted_at IS NOT NULL
JOIN labeling_labeler l
  ON l.project_id = a.project_id AND l.kind = 'human' AND l.user_id = a.user_id
JOIN labeling_verdict v ON v.labeler_id = l.id AND v.solution_id = a.solution_id
WHERE a.project_id = %(project)s AND k.user_id IS DISTINCT FROM a.user_id AND NOT v.informed
  AND (%(user)s::bigint IS NULL OR a.user_id = %(user)s)
  AND (%(since)s::timestamptz IS NULL OR a.submitted_at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR a.submitted_at < %(until)s)"""

_AGAINST = """CASE a.purpose WHEN 'exam' THEN 'exam' WHEN 'gold' THEN 'gold'
     ELSE 'adjudication' END"""

_COUNTED = f"""
WITH {KEYS}
SELECT a.user_id, {_AGAINST}, v.first_error, k.first_error, count(*)
{_ANSWERS} GROUP BY 1, 2, 3, 4"""

_IN_ORDER = f"""
WITH {KEYS}
SELECT v.first_error, k.first_error
{_ANSWERS} AND a.purpose <> 'exam' AND v.state = 'scored' ORDER BY a.submitted_at, a.id"""

# Both people of a pair labeled the solution of their own accord: tests are given to everybody.
# Read once and joined with itself: ten times as fast as joining each label with the others' rows.
_PAIRS = """
WITH labels AS MATERIALIZED (
    SELECT a.solution_id, a.user_id, a.submitted_at, v.first_error
    FROM labeling_assignment a
    JOIN labeling_labeler l
      ON l.project_id = a.project_id AND l.kind = 'human' AND l.user_id = a.user_id
    JOIN labeling_verdict v ON v.labeler_id = l.id AND v.solution_id = a.solution_id
    WHERE a.project_id = %(project)s AND a.submitted_at IS NOT NULL
      AND a.purpose IN ('label', 'audit') AND v.state = 'scored' AND NOT v.informed
      AND (%(user)s::bigint IS NULL OR a.solution_id IN (
          SELECT solution_id FROM labeling_assignment
          WHERE project_id = %(project)s AND user_id = %(user)s)))
SELECT a.user_id, a.first_error, b.first_error, count(*)
FROM labels a JOIN labels b ON b.solution_id = a.solution_id AND b.user_id <> a.user_id
WHERE (%(user)s::bigint IS NULL OR a.user_id = %(user)s)
  AND (%(since)s::timestamptz IS NULL OR a.submitted_at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL
       OR greatest(a.submitted_at, b.submitted_at) < %(until)s)
GROUP BY 1, 2, 3"""

_PACE = """
SELECT a.user_id,
  count(*) FILTER (WHERE a.submitted_at IS NOT NULL),
  count(*) FILTER (WHERE v.state = 'rejected'),
  count(*) FILTER (WHERE a.skip_code <> ''),
  count(*) FILTER (WHERE a.skip_code = 'give_up'),
  count(*) FILTER (WHERE v.comments -> 'steps' <> '{}' OR v.comments ->> 'solution' <> ''),
  percentile_cont(0.5) WITHIN GROUP (ORDER BY a.active_seconds) FILTER (WHERE s.labeled > 0),
  percentile_cont(0.5) WITHIN GROUP (ORDER BY a.active_seconds / nullif(s.labeled, 0))
    FILTER (WHERE s.labeled > 0),
  count(*) FILTER (WHERE s.labeled > 0),
  count(*) FILTER (WHERE s.labeled > 0 AND a.active_seconds < %(fast)s * s.labeled)
FROM labeling_assignment a
LEFT JOIN labeling_labeler l
  ON l.project_id = a.project_id AND l.kind = 'human' AND l.user_id = a.user_id
LEFT JOIN labeling_verdict v
  ON v.labeler_id = l.id AND v.solution_id = a.solution_id AND a.submitted_at IS NOT NULL
LEFT JOIN LATERAL
  (SELECT cardinality(array_remove(v.step_labels, NULL)) AS labeled) s ON true
WHERE a.project_id = %(project)s AND (a.submitted_at IS NOT NULL OR a.skip_code <> '')
  AND (%(user)s::bigint IS NULL OR a.user_id = %(user)s)
  AND (%(since)s::timestamptz IS NULL
       OR coalesce(a.submitted_at, a.skipped_at) >= %(since)s)
GROUP BY 1"""


def accuracies(
    project: Project, *, user: int | None = None, since: datetime | None = None
) -> dict[int, dict[Against, Accuracy]]:
    """Return by user id how each person's answers compare with the keys."""
    cells: defaultdict[tuple[int, Against], dict[tuple[int, int], int]] = defaultdict(dict)
    rejected: dict[tuple[int, Against], int] = {}
    for person, against, said, key, n in _rows(_COUNTED, project, user=user, since=since):
        place = (person, Against(against))
        if said is None:
            rejected[place] = rejected.get(place, 0) + n
        else:
            cells[place][said, key] = n
    found: defaultdict[int, dict[Against, Accuracy]] = defaultdict(dict)
    for place in {*cells, *rejected}:
        person, against = place
        found[person][against] = Accuracy(Confusion(cells[place]), rejected.get(place, 0))
    return dict(found)


def agreements(
    project: Project, *, user: int | None = None, since: datetime | None = None,
    until: datetime | None = None,
) -> dict[int, Confusion]:  # fmt: skip
    """Return by user id the person's first errors (first) against other people's (second)."""
    cells: defaultdict[int, dict[tuple[int, int], int]] = defaultdict(dict)
    for person, own, other, n in _rows(_PAIRS, project, user=user, since=since, until=until):
        cells[person][own, other] = n
    return {person: Confusion(counted) for person, counted in cells.items()}


def paces(
    project: Project, *, user: int | None = None, since: datetime | None = None
) -> dict[int, Pace]:
    """Return by user id what each person did and how fast."""
    return {row[0]: Pace(*row[1:]) for row in _rows(_PACE, project, user=user, since=since)}


def answers(project: Project, user: int, until: datetime) -> list[tuple[int, int]]:
    """Return (said, key) of the person's items before `until`, oldest first, exams apart."""
    return [(said, key) for said, key in _rows(_IN_ORDER, project, user=user, until=until)]


def _rows(
    query: str, project: Project, *, user: int | None = None, since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[tuple[Any, ...]]:  # fmt: skip
    values = {
        "project": project.pk,
        "user": user,
        "since": since,
        "until": until,
        "fast": project.policy.too_fast_seconds,
    }
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        yield from cursor.fetchall()
