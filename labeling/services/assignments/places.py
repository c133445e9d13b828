"""How many people hold or have labeled a solution, against the overlap that the policy asks for."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from labeling.domain.assignments import Purpose
from labeling.domain.refusals import Refusal
from labeling.models import Assignment, Decision, Project
from labeling.models.compiled import Compiled, given
from labeling.services.assignments import rows

UNLIMITED = frozenset({Purpose.GOLD, Purpose.EXAM})
"""Purposes whose solutions everybody may label."""


class Taken(Refusal):
    """Others have all places on the solution."""

    code = "taken"


def is_free(project: Project, solution_id: int, user_id: int, now: datetime) -> bool:
    """Say whether fewer others than the overlap hold or have labeled it; lock its decision."""
    Decision.objects.select_for_update().filter(solution_id=solution_id).first()
    return has_room(project, solution_id, user_id, now)


def has_room(project: Project, solution_id: int, user_id: int, now: datetime) -> bool:
    """Say whether fewer others than the overlap hold or have labeled the solution.

    The caller has its decision locked. Every lease of a solution is given under this lock, so this
    count, a statement of its own, sees those that were given while the caller waited for it.
    """
    others = _of_others(solution=solution_id, user=user_id)
    labeled = sum(submitted_at is not None for submitted_at, _ in others)
    held = sum(submitted_at is None and ends > now for submitted_at, ends in others)
    overlap = project.policy.human_overlap
    if labeled >= overlap:
        # The policy's overlap was lowered, and decisions were not recomputed yet: the row leaves
        # the queue here, or everybody would come by it again.
        Decision.objects.filter(solution_id=solution_id).update(places=0)
        return False
    return labeled + held < overlap


def renewed(item: Assignment, project: Project, now: datetime) -> bool:
    """Move the end of the item's lease; False if it ran out and others took all places.

    The caller saves `expires_at`.
    """
    if rows.is_fresh(item, project, now):
        return True
    is_safe = item.expires_at > now or item.purpose in UNLIMITED
    if not is_safe and not is_free(project, item.solution_id, item.user_id, now):
        return False
    item.expires_at = rows.lease_end(project, now)
    return True


@Compiled
def _of_others() -> QuerySet[Assignment, tuple[datetime | None, datetime]]:
    on_it = Assignment.objects.filter(solution=given("solution"), skipped_at=None)
    return on_it.exclude(user=given("user")).values_list("submitted_at", "expires_at")
