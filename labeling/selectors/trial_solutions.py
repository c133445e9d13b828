"""The solutions that a judge is tried on: a mix, or those that are asked for."""

from __future__ import annotations

from collections.abc import Sequence

from labeling.domain.consensus import DecisionState
from labeling.domain.setting_checks import BadSetting
from labeling.models import Assignment, Project, Solution, User

TRIED = 5
"""Solutions of a trial."""

LOOKED_THROUGH = 2_000
"""Solutions, the oldest ones, among which wrong answers are looked for."""


def mixed(project: Project, user: User, count: int = TRIED) -> list[Solution]:
    """Return solutions to try a judge on, the same ones as long as the labels are.

    Two of the most valuable disputed ones, two with a wrong final answer, then the oldest others.
    What the user is labeling now is left out: a trial would show them a machine's verdict on it.
    """
    rows = Solution.objects.filter(project=project).exclude(pk__in=_held(project, user))
    disputed = rows.filter(decision__project=project, decision__state=DecisionState.DISPUTED)
    oldest = rows.order_by("pk")[:LOOKED_THROUGH].values("pk")
    wrong = rows.filter(pk__in=oldest, final_answer_correct=False).order_by("pk")
    picked: dict[int, Solution] = {}
    for query, some in (
        (disputed.order_by("-decision__priority", "pk"), 2),
        (wrong, 2),
        (rows.order_by("pk"), count),
    ):
        wanted = min(some, count - len(picked))
        fresh = [s for s in query[: wanted + len(picked)] if s.pk not in picked][:wanted]
        picked |= {solution.pk: solution for solution in fresh}
    return sorted(picked.values(), key=lambda solution: solution.pk)


def chosen(project: Project, user: User, uids: Sequence[str]) -> list[Solution]:
    """Return the solutions of these uids in this order; a mix without any. Raise BadSetting."""
    if not any(uids):
        return mixed(project, user)
    found = {s.uid: s for s in Solution.objects.filter(project=project, uid__in=uids)}
    if missing := [uid for uid in uids if uid not in found]:
        raise BadSetting(
            "solutions", "the project has no solution {missing}", missing=", ".join(missing)
        )
    if len(uids) > TRIED:
        raise BadSetting("solutions", "{count} are more than {tried}", count=len(uids), tried=TRIED)
    return [found[uid] for uid in uids]


def _held(project: Project, user: User) -> list[int]:
    held = Assignment.objects.filter(project=project, user=user, submitted_at=None, skipped_at=None)
    return list(held.values_list("solution_id", flat=True))
