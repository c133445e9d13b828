"""The items behind each number of a person's page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import connection
from django.db.models import Q
from django.db.models.functions import Coalesce

from labeling.domain.assignments import Purpose
from labeling.domain.labels import VerdictState
from labeling.domain.quality import Against, Outcome, outcome
from labeling.models import Assignment, Project, User
from labeling.selectors.accuracy import KEYS

PAGE = 50
STATEMENT_SHOWN = 160


class Doing(StrEnum):
    """What a person did with an item, beside the answer itself."""

    SUBMITTED = "submitted"
    FAST = "fast"
    SKIPPED = "skipped"
    GAVE_UP = "gave_up"
    REPORTED = "reported"
    NOTED = "noted"
    SHARED = "shared"
    DIFFERED = "differed"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the list is narrowed to; None narrows nothing."""

    against: Against | None = None
    outcome: Outcome | None = None
    doing: Doing | None = None
    since: datetime | None = None
    ids: tuple[int, ...] | None = None
    """Assignments; None: whichever."""


@dataclass(frozen=True, slots=True)
class Done:
    """One item that the person submitted or passed back; `key`: an adjudicator's other than them.

    `informed`: corrected after the evidence was open, so no measure of the person.
    """

    uid: str
    statement: str
    purpose: Purpose
    state: VerdictState | None
    said: int | None
    reason: str
    informed: bool
    key: int | None
    seconds: float
    labeled: int
    is_fast: bool
    at: datetime

    @property
    def outcome(self) -> Outcome | None:
        """The answer against the key, None where they cannot be compared."""
        if self.said is None or self.key is None or self.informed:
            return None
        return outcome(self.said, self.key)


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of items; `total` counts all of them."""

    rows: tuple[Done, ...]
    total: int
    number: int

    @property
    def pages(self) -> int:
        """Number of pages, at least one."""
        return _pages(self.total)


_COMPARED = "v.first_error IS NOT NULL AND k.first_error IS NOT NULL AND NOT v.informed"
_PURPOSES = {
    Against.EXAM: "a.purpose = 'exam'",
    Against.GOLD: "a.purpose = 'gold'",
    Against.ADJUDICATION: "a.purpose IN ('label', 'audit')",
}
_OUTCOMES = {
    Outcome.EXACT: "v.first_error = k.first_error",
    Outcome.MISSED: "v.first_error = -1 AND k.first_error <> -1",
    Outcome.FALSE_ALARM: "v.first_error <> -1 AND k.first_error = -1",
    Outcome.LATE: "v.first_error > k.first_error AND k.first_error <> -1",
    Outcome.EARLY: "v.first_error < k.first_error AND v.first_error <> -1",
}
_SHARED = """a.purpose IN ('label', 'audit') AND v.state = 'scored' AND NOT v.informed AND EXISTS (
    SELECT 1 FROM labeling_assignment b
    JOIN labeling_labeler lb
      ON lb.project_id = b.project_id AND lb.kind = 'human' AND lb.user_id = b.user_id
    JOIN labeling_verdict vb ON vb.labeler_id = lb.id AND vb.solution_id = b.solution_id
    WHERE b.solution_id = a.solution_id AND b.user_id <> a.user_id
      AND b.submitted_at IS NOT NULL AND b.purpose IN ('label', 'audit')
      AND vb.state = 'scored' AND NOT vb.informed{more})"""
_FAST = "s.labeled > 0 AND a.active_seconds < %(fast)s * s.labeled"
_DOINGS = {
    Doing.SUBMITTED: "a.submitted_at IS NOT NULL",
    Doing.FAST: _FAST,
    Doing.SKIPPED: "a.skip_code <> ''",
    Doing.GAVE_UP: "a.skip_code = 'give_up'",
    Doing.REPORTED: "v.state = 'rejected'",
    Doing.NOTED: "(v.comments -> 'steps' <> '{}' OR v.comments ->> 'solution' <> '')",
    Doing.SHARED: _SHARED.format(more=""),
    Doing.DIFFERED: _SHARED.format(more=" AND vb.first_error <> v.first_error"),
}

_FROM = """
FROM labeling_assignment a
JOIN labeling_solution o ON o.id = a.solution_id
JOIN labeling_problem p ON p.id = o.problem_id
LEFT JOIN labeling_labeler l
  ON l.project_id = a.project_id AND l.kind = 'human' AND l.user_id = a.user_id
LEFT JOIN labeling_verdict v
  ON v.labeler_id = l.id AND v.solution_id = a.solution_id AND a.submitted_at IS NOT NULL
LEFT JOIN keys k ON k.solution_id = a.solution_id AND k.user_id IS DISTINCT FROM a.user_id
LEFT JOIN LATERAL
  (SELECT coalesce(cardinality(array_remove(v.step_labels, NULL)), 0) AS labeled) s ON true
WHERE a.project_id = %(project)s AND a.user_id = %(user)s
  AND (a.submitted_at IS NOT NULL OR a.skip_code <> '')
  AND (%(since)s::timestamptz IS NULL OR coalesce(a.submitted_at, a.skipped_at) >= %(since)s)"""

_COLUMNS = f"""
SELECT o.uid, left(p.statement, {STATEMENT_SHOWN}), a.purpose, v.state, v.first_error,
  coalesce(nullif(v.reason, ''), a.skip_reason), coalesce(v.informed, false), k.first_error,
  a.active_seconds, s.labeled, {_FAST}, coalesce(a.submitted_at, a.skipped_at) AS at"""


def items_of(project: Project, user: User, wanted: Wanted, number: int = 1) -> Listed:
    """Return a page (from 1) of the person's concluded items, newest first."""
    if wanted.against is None and wanted.outcome is None and wanted.doing in _BY_ITSELF:
        return _listed_by_itself(project, user, wanted, number)
    ((total,),) = _fetched("SELECT count(*)", project, user, wanted)
    number = min(max(1, number), _pages(total))
    place = f"LIMIT {PAGE} OFFSET {(number - 1) * PAGE}"
    return Listed(_listed(project, user, wanted, place), total, number)


_BY_ITSELF = {None, Doing.SUBMITTED, Doing.SKIPPED, Doing.GAVE_UP}
"""What the assignments alone tell: neither keys nor verdicts need be joined to count it."""


def _listed_by_itself(project: Project, user: User, wanted: Wanted, number: int) -> Listed:
    rows = Assignment.objects.filter(project=project, user=user)
    conditions = {
        Doing.SUBMITTED: Q(submitted_at__isnull=False),
        Doing.SKIPPED: ~Q(skip_code=""),
        Doing.GAVE_UP: Q(skip_code="give_up"),
    }
    concluded = Q(submitted_at__isnull=False) | ~Q(skip_code="")
    rows = rows.filter(conditions[wanted.doing] if wanted.doing else concluded)
    rows = rows.alias(at=Coalesce("submitted_at", "skipped_at"))
    if wanted.since:
        rows = rows.filter(at__gte=wanted.since)
    total = rows.count()
    number = min(max(1, number), _pages(total))
    shown = rows.order_by("-at", "-pk").values_list("pk", flat=True)
    ids = list(shown[(number - 1) * PAGE : number * PAGE])
    return Listed(_listed(project, user, Wanted(ids=tuple(ids)), ""), total, number)


def every_item(project: Project, user: User, wanted: Wanted) -> tuple[Done, ...]:
    """Return all of the person's concluded items, newest first: for a file."""
    return _listed(project, user, wanted)


def _listed(project: Project, user: User, wanted: Wanted, place: str = "") -> tuple[Done, ...]:
    order = f"ORDER BY at DESC, a.id DESC {place}"
    return tuple(_done(row) for row in _fetched(_COLUMNS, project, user, wanted, order))


def _condition(wanted: Wanted) -> str:
    parts = []
    if wanted.ids is not None:
        parts.append("a.id = ANY(%(ids)s)")
    if wanted.against:
        parts += [_PURPOSES[wanted.against], _COMPARED]
    if wanted.outcome:
        parts += [_OUTCOMES[wanted.outcome], _COMPARED]
    if wanted.doing:
        parts.append(_DOINGS[wanted.doing])
    return "".join(f" AND {part}" for part in parts)


def _done(row: tuple[Any, ...]) -> Done:
    uid, statement, purpose, state, *rest = row
    state = VerdictState(state) if state else None
    return Done(uid, statement, Purpose(purpose), state, *rest)


def _fetched(
    columns: str, project: Project, user: User, wanted: Wanted, order: str = ""
) -> list[tuple[Any, ...]]:
    query = f"WITH {KEYS} {columns} {_FROM} {_condition(wanted)} {order}"
    values = {
        "project": project.pk,
        "user": user.pk,
        "since": wanted.since,
        "fast": project.policy.too_fast_seconds,
        "ids": list(wanted.ids or ()),
    }
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())


def _pages(total: int) -> int:
    return max(1, -(-total // PAGE))
