"""Hand disputes to adjudicators: short leases, so that two do not decide the same one."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from labeling.models import AdjudicationLease, Decision, Project, Solution, User
from labeling.selectors.adjudication import Wanted, held_by_another, waiting
from labeling.services import events
from labeling.services.assignments.leases import turn

LEASE = timedelta(minutes=5)
"""The page renews it every minute while somebody is at it."""

LOOKED_AT = 1000
"""Solutions at the head of the queue among which a free one is looked for."""


@transaction.atomic
def lease_next(
    *, by: User, project: Project, wanted: Wanted, now: datetime, after: str = ""
) -> Solution | None:
    """Lease the best solution that nobody else decides; None when there is none.

    The same one again until it is decided. `after` (a uid) passes that one: what follows it in the
    queue comes next, and at its end the beginning.
    """
    turn(by, project)
    mine = AdjudicationLease.objects.filter(project=project, user=by).first()
    ids = list(waiting(project, by, wanted).values_list("pk", "solution__uid")[:LOOKED_AT])
    at = next((n for n, (_, uid) in enumerate(ids) if uid == after), None)
    order = [pk for pk, _ in ids] if at is None else [pk for pk, _ in ids[at + 1 :] + ids[:at]]
    if mine is not None and mine.solution_id in order and at is None:
        order.insert(0, mine.solution_id)
    for pk in order:
        solution = _free(waiting(project, by, wanted), pk, by, now)
        if solution is not None:
            _take(solution, by, now, again=mine is not None and mine.solution_id == pk)
            return solution
    return None


@transaction.atomic
def hold(*, by: User, solution: Solution, now: datetime) -> str | None:
    """Lease or renew this solution; return who else decides it, whose lease it stays, or None."""
    turn(by, solution.project)
    if _free(Decision.objects.all(), solution.pk, by, now) is None:
        return held_by_another(solution, by, now)
    mine = AdjudicationLease.objects.filter(solution=solution, user=by)
    _take(solution, by, now, again=mine.exists())
    return None


@transaction.atomic
def release(*, by: User, solution: Solution) -> None:
    """Give the solution back to the others."""
    if AdjudicationLease.objects.filter(solution=solution, user=by).delete()[0]:
        events.record(
            by=by, action="dispute released", project=solution.project, subject=solution.uid
        )


def _free(among: QuerySet[Decision], pk: int, by: User, now: datetime) -> Solution | None:
    # Two adjudicators ask at once: every lease is given under the lock of the decision. Who finds
    # it locked goes on to the next solution; who gets it after the other's commit sees the lease,
    # and after the other's verdict no longer finds it among what waits.
    decision = (
        among.order_by()
        .select_for_update(of=("self",), skip_locked=True)
        .select_related("solution__project")
        .filter(pk=pk)
        .first()
    )
    if decision is None or held_by_another(decision.solution, by, now) is not None:
        return None
    return decision.solution


def _take(solution: Solution, by: User, now: datetime, *, again: bool) -> None:
    project = solution.project
    AdjudicationLease.objects.filter(project=project, user=by).exclude(solution=solution).delete()
    AdjudicationLease.objects.update_or_create(
        solution=solution,
        defaults={"project": project, "user": by, "expires_at": now + LEASE},
    )
    if not again:
        events.record(by=by, action="dispute leased", project=project, subject=solution.uid)
