"""The exam as its page shows it: what awaits, and once it is over each answer beside its key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import OuterRef, Subquery

from labeling.domain.assignments import Purpose
from labeling.domain.exams import Standing
from labeling.domain.labels import NO_ERROR, LabelerKind
from labeling.domain.quality import Outcome, outcome
from labeling.domain.roles import Role
from labeling.models import Assignment, ExamGrant, GoldItem, Project, User, Verdict
from labeling.selectors import exams
from labeling.selectors.accuracy import KEYS
from labeling.selectors.gold import key


@dataclass(frozen=True, slots=True)
class Answered:
    """One exam item. `said` None: reported or passed back, which counts as not right."""

    uid: str
    statement: str
    steps: tuple[str, ...]
    said: int | None
    reason: str
    key: int | None
    explanation: str

    @property
    def right(self) -> bool:
        """Whether the first error is the key's."""
        return self.said is not None and self.said == self.key

    @property
    def outcome(self) -> Outcome | None:
        """How the answer relates to the key; None without an answer or a key."""
        if self.said is None or self.key is None:
            return None
        return outcome(self.said, self.key)

    @property
    def said_step(self) -> str:
        """The text of the step that the person called wrong; empty for none."""
        return _step(self.steps, self.said)

    @property
    def key_step(self) -> str:
        """The text of the step that is wrong; empty for none."""
        return _step(self.steps, self.key)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run through the exam. `items` are there only once it is over."""

    number: int
    standing: Standing
    items: tuple[Answered, ...]


@dataclass(frozen=True, slots=True)
class Examinee:
    """How far one person is. `attempts` counts the current one."""

    standing: Standing
    taken: int
    attempts: int
    last_at: datetime | None


def attempts(user: User, project: Project) -> list[Attempt]:
    """Return the person's attempts, the current one first; its keys stay hidden until its end."""
    grants = ExamGrant.objects.filter(project=project, user=user).order_by("granted_at", "id")
    ends = list(grants.values_list("granted_at", flat=True))
    cut: list[list[Answered]] = [[] for _ in range(len(ends) + 1)]
    for at, answered in _answered(user, project):
        cut[sum(at > end for end in ends)].append(answered)
    current = exams.standing(user, project)
    found = [
        Attempt(number, _finished(items, current.pass_share), tuple(items))
        for number, items in enumerate(cut[:-1], start=1)
    ]
    shown = tuple(cut[-1]) if current.over else ()
    return [Attempt(len(cut), current, shown), *reversed(found)]


def comes_first(user: User, project: Project, role: Role | None, *, begun: bool) -> bool:
    """Say whether the exam's page stands before the queue for this person.

    It does before the first item (until they said to begin), after failing, and until they have
    seen a result.
    """
    if role is not Role.ANNOTATOR or project.policy.exam_items == 0:
        return False
    standing = exams.standing(user, project)
    if not standing.over:
        return standing.given == 0 and not begun
    return standing.failed or _unseen_result(user, project)


def examinees(project: Project) -> dict[int, Examinee]:
    """Return by user id how far everybody is who began the exam or may take it again."""
    policy = project.policy
    if policy.exam_items == 0:
        return {}
    usable = exams.usable(project).count()
    found = {}
    for user, taken, answered, right, given, tries, last_at in _examined(project):
        required = min(policy.exam_items, taken)
        if taken < policy.exam_items:
            required = taken + min(policy.exam_items - taken, max(0, usable - given))
        standing = Standing(required, answered, right, policy.exam_pass_share, given=taken)
        found[user] = Examinee(standing, taken, tries, last_at)
    return found


def unbegun(project: Project) -> Standing:
    """Return the standing of somebody who has not seen any exam item."""
    policy = project.policy
    required = min(policy.exam_items, exams.usable(project).count())
    return Standing(required, 0, 0, policy.exam_pass_share)


_EXAMINED = f"""
WITH {KEYS}, granted AS (
    SELECT user_id, max(granted_at) AS at, count(*) AS n
    FROM labeling_examgrant WHERE project_id = %(project)s GROUP BY user_id
), seen AS (
    SELECT a.user_id, count(*) AS n FROM labeling_golditem g
    JOIN keys k ON k.solution_id = g.solution_id
    JOIN labeling_assignment a ON a.solution_id = g.solution_id
    WHERE g.project_id = %(project)s AND g.use = 'exam' AND g.active GROUP BY a.user_id
), taken AS (
    SELECT a.user_id, count(*) AS n,
      count(*) FILTER (WHERE a.submitted_at IS NOT NULL OR a.skipped_at IS NOT NULL) AS answered,
      count(*) FILTER
        (WHERE a.submitted_at IS NOT NULL AND v.first_error = k.first_error) AS right,
      max(coalesce(a.submitted_at, a.skipped_at)) AS last_at
    FROM labeling_assignment a
    LEFT JOIN granted r ON r.user_id = a.user_id
    LEFT JOIN keys k ON k.solution_id = a.solution_id
    LEFT JOIN labeling_labeler l
      ON l.project_id = a.project_id AND l.kind = 'human' AND l.user_id = a.user_id
    LEFT JOIN labeling_verdict v ON v.labeler_id = l.id AND v.solution_id = a.solution_id
    WHERE a.project_id = %(project)s AND a.purpose = 'exam'
      AND (r.at IS NULL OR a.created_at > r.at)
    GROUP BY a.user_id
)
SELECT user_id, coalesce(t.n, 0), coalesce(t.answered, 0), coalesce(t.right, 0),
  coalesce(s.n, 0), coalesce(r.n, 0) + 1, t.last_at
FROM taken t FULL JOIN granted r USING (user_id) LEFT JOIN seen s USING (user_id)"""  # noqa: S608 - constants only


def _unseen_result(user: User, project: Project) -> bool:
    return Assignment.objects.filter(
        project=project, user=user, purpose=Purpose.EXAM, submitted_at__isnull=False,
        evidence_seen_at=None,
    ).exists()  # fmt: skip


def _examined(project: Project) -> list[tuple[int, int, int, int, int, int, datetime | None]]:
    with connection.cursor() as cursor:
        cursor.execute(_EXAMINED, {"project": project.pk})
        return list(cursor.fetchall())


def _answered(user: User, project: Project) -> list[tuple[datetime, Answered]]:
    own = Verdict.objects.filter(
        solution=OuterRef("solution"), labeler__user=user, labeler__kind=LabelerKind.HUMAN
    )
    explained = GoldItem.objects.filter(solution=OuterRef("solution"))
    rows = (
        Assignment.objects.filter(user=user, project=project, purpose=Purpose.EXAM)
        .select_related("solution__problem")
        .annotate(
            said=Subquery(own.values("first_error")[:1]),
            why=Subquery(own.values("reason")[:1]),
            wanted=Subquery(key("solution")),
            explanation=Subquery(explained.values("explanation")[:1]),
        )
        .order_by("created_at", "id")
    )
    return [(row.created_at, _one(row)) for row in rows]


def _one(row: Any) -> Answered:
    return Answered(
        uid=row.uid,
        statement=row.solution.problem.statement,
        steps=tuple(row.solution.steps),
        said=row.said if row.submitted_at else None,
        reason=row.skip_reason or row.why or "",
        key=row.wanted,
        explanation=row.explanation or "",
    )


def _finished(items: Sequence[Answered], pass_share: float) -> Standing:
    count = len(items)
    return Standing(count, count, sum(item.right for item in items), pass_share, given=count)


def _step(steps: Sequence[str], index: int | None) -> str:
    return "" if index is None or index == NO_ERROR else steps[index]
