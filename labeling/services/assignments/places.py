"""How many people hold or have labeled a solution, against the overlap that the policy asks for."""

from __future__ import annotations

from datetime import datetime

from labeling.domain.assignments import Purpose
from labeling.domain.refusals import Refusal
from labeling.models import Assignment, Decision, Project
from labeling.services.assignments.rows import lease_end

UNLIMITED = frozenset({Purpose.GOLD, Purpose.EXAM})
"""Purposes whose solutions everybody may label."""


class Taken(Refusal):
    """Others have all places on the solution."""

    code = "taken"


def is_free(project: Project, solution_id: int, user_id: int, now: datetime) -> bool:
    """Say whether fewer others than the overlap hold or have labeled it; lock its decision."""
    # Every lease of a solution is given under this lock, so the count that follows, a statement of
    # its own, sees those that were given while we waited for it.
    Decision.objects.select_for_update().filter(solution_id=solution_id).first()
    others = Assignment.objects.filter(solution_id=solution_id, skipped_at=None).exclude(
        user_id=user_id
    )
    overlap = project.policy.human_overlap
    labeled = others.filter(submitted_at__isnull=False).count()
    if labeled >= overlap:
        # The policy's overlap was lowered, and decisions were not recomputed yet: the row leaves
        # the queue here, or everybody would come by it again.
        Decision.objects.filter(solution_id=solution_id).update(places=0)
        return False
    held = others.filter(submitted_at=None, expires_at__gt=now).count()
    return labeled + held < overlap


def renewed(item: Assignment, project: Project, now: datetime) -> bool:
    """Move the end of the item's lease; False if it ran out and others took all places.

    The caller saves `expires_at`.
    """
    is_safe = item.expires_at > now or item.purpose in UNLIMITED
    if not is_safe and not is_free(project, item.solution_id, item.user_id, now):
        return False
    item.expires_at = lease_end(project, now)
    return True
