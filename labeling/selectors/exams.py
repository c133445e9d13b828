"""A person's exam, read from what they answered and the keys of the exam's gold items."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from labeling.domain.assignments import GoldUse, Purpose
from labeling.domain.exams import Standing
from labeling.domain.labels import LabelerKind
from labeling.models import Assignment, GoldItem, Project, User, Verdict
from labeling.selectors.gold import key


def standing(user: User, project: Project) -> Standing:
    """Return how far the person is in the project's exam.

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


def unseen(user: User, project: Project, use: GoldUse = GoldUse.EXAM) -> QuerySet[GoldItem]:
    """Return the usable gold items that the person was never given."""
    given = Assignment.objects.filter(solution=OuterRef("solution"), user=user)
    return GoldItem.objects.filter(~Exists(given), project=project, use=use, active=True).filter(
        Exists(key("solution"))
    )


def _answers(user: User, project: Project) -> list[tuple[bool, int | None, int | None]]:
    """Return per exam item: whether it is answered, the person's first error, the key."""
    own = Verdict.objects.filter(
        solution=OuterRef("solution"), labeler__user=user, labeler__kind=LabelerKind.HUMAN
    )
    rows = Assignment.objects.filter(user=user, project=project, purpose=Purpose.EXAM).annotate(
        said=Subquery(own.values("first_error")[:1]), wanted=Subquery(key("solution"))
    )
    answered = Q(submitted_at__isnull=False) | Q(skipped_at__isnull=False)
    return list(
        rows.order_by("id")
        .annotate(is_answered=answered)
        .values_list("is_answered", "said", "wanted")
    )
