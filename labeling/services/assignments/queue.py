"""Which solution a person gets next, and why: exam, hidden gold, audit or a dispute."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from labeling.domain.assignments import GoldUse, Purpose
from labeling.domain.purposes import drawn, fraction
from labeling.domain.roles import Role
from labeling.models import Assignment, Project, User
from labeling.selectors import exams
from labeling.services.assignments import candidates, places

Found = tuple[Purpose, int] | None


def draw(*, by: User, project: Project, role: Role, now: datetime) -> Found:
    """Return why and which solution (its id) the person gets next; None when nothing is left.

    An annotator who has to pass an exam first gets its items, and nothing after failing it. Its
    last item has none to follow: only the answer tells whether the person may go on.
    """
    if role is Role.ANNOTATOR:
        standing = exams.standing(by, project)
        if standing.given < standing.required:
            return _gold(by, project, Purpose.EXAM, GoldUse.EXAM)
        if not standing.passed:
            return None
    if not (project.policy.gold_share or project.policy.audit_share):
        return _to_label(by, project, now)
    number = Assignment.objects.filter(project=project, user=by).count()
    purpose = drawn(project.policy, f"{project.uid}/{by.pk}", number)
    found = None
    if purpose is Purpose.GOLD:
        found = _gold(by, project, purpose, GoldUse.HIDDEN)
    elif purpose is Purpose.AUDIT:
        rounds = candidates.of_the_consensus(by, project, now, number)
        found = _free(rounds, purpose, by, project, now)
    return found or _to_label(by, project, now)


def _gold(by: User, project: Project, purpose: Purpose, use: GoldUse) -> Found:
    """Return an item that the person never had; each person has an order of their own."""
    ids = exams.unseen(by, project, use).values_list("solution_id", flat=True)
    first = min(ids, key=lambda pk: fraction("gold", str(by.pk), str(pk)), default=None)
    return None if first is None else (purpose, first)


def _to_label(by: User, project: Project, now: datetime) -> Found:
    for state in candidates.states(project):
        found = _free(
            candidates.most_valuable(by, project, now, state), Purpose.LABEL, by, project, now
        )
        if found:
            return found
    return None


def _free(
    next_one: Iterable[int], purpose: Purpose, by: User, project: Project, now: datetime
) -> Found:
    # A candidate may have been given to somebody after the query for it began and before it got
    # to the row: a lease does not change the row, so only a second look under its lock can tell.
    for solution_id in next_one:
        if places.has_room(project, solution_id, by.pk, now):
            return purpose, solution_id
    return None
