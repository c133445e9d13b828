"""A person's exam, read from what they answered and the keys of the exam's gold items."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Subquery

from labeling.domain.assignments import GoldUse, Purpose
from labeling.domain.exams import Standing
from labeling.domain.labels import LabelerKind
from labeling.models import Assignment, ExamGrant, GoldItem, Project, User, Verdict
from labeling.selectors.gold import key


def standing(user: User, project: Project) -> Standing:
    """Return how far the person is in the project's exam, in the attempt granted last.

    Where fewer usable exam items exist than the policy asks for, these are asked. An answer is
    right when its first error is the key's; a skipped or rejected item is answered, and not right.
    """
    policy = project.policy
    if policy.exam_items == 0:
        return Standing(0, 0, 0, policy.exam_pass_share)
    taken = answered = right = 0
    for is_answered, said, wanted in _answers(user, project):
        taken += 1
        answered += is_answered
        right += is_answered and said is not None and said == wanted
    required = min(policy.exam_items, taken)
    if taken < policy.exam_items:
        required = taken + unseen(user, project)[: policy.exam_items - taken].count()
    return Standing(required, answered, right, policy.exam_pass_share, given=taken)


def is_closed(item: Assignment) -> bool:
    """Say whether an exam item's answer stands: its attempt is over, or its key may be known.

    The exam's end alone would not do: it reopens where the policy asks for more items later.
    """
    mine = {"project": item.project_id, "user": item.user_id}
    given = item.created_at
    return (
        ExamGrant.objects.filter(**mine, granted_at__gt=given).exists()
        or Assignment.objects.filter(
            **mine, purpose=Purpose.EXAM, evidence_seen_at__gt=given
        ).exists()
        or standing(item.user, item.project).over
    )


def usable(project: Project, use: GoldUse = GoldUse.EXAM) -> QuerySet[GoldItem]:
    """Return the active gold items that have a key."""
    return GoldItem.objects.filter(Exists(key("solution")), project=project, use=use, active=True)


def unseen(user: User, project: Project, use: GoldUse = GoldUse.EXAM) -> QuerySet[GoldItem]:
    """Return the usable gold items that the person was never given."""
    given = Assignment.objects.filter(solution=OuterRef("solution"), user=user)
    return usable(project, use).filter(~Exists(given))


def attempt_began(user: User, project: Project) -> datetime | None:
    """Return when the current attempt was granted; None: it is the first one."""
    return ExamGrant.objects.filter(project=project, user=user).aggregate(at=Max("granted_at"))[
        "at"
    ]


def _answers(user: User, project: Project) -> list[tuple[bool, int | None, int | None]]:
    """Return per exam item: whether it is answered, the person's first error, the key."""
    own = Verdict.objects.filter(
        solution=OuterRef("solution"), labeler__user=user, labeler__kind=LabelerKind.HUMAN
    )
    rows = Assignment.objects.filter(user=user, project=project, purpose=Purpose.EXAM)
    began = attempt_began(user, project)
    if began is not None:
        rows = rows.filter(created_at__gt=began)
    rows = rows.annotate(
        said=Subquery(own.values("first_error")[:1]), wanted=Subquery(key("solution"))
    )
    answered = Q(submitted_at__isnull=False) | Q(skipped_at__isnull=False)
    return list(
        rows.order_by("id")
        .annotate(is_answered=answered)
        .values_list("is_answered", "said", "wanted")
    )
