"""What people answered, as rows: for tests of the numbers about people."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from labeling.domain.labels import LabelerKind, labels_up_to
from labeling.models import Assignment, Project, Solution, User
from labeling.services import labelers
from tests import factories

STEPS = 4


def solution_of(project: Project, number: int = 0, **fields: Any) -> Solution:
    steps = [f"Step {place} of {number}." for place in range(STEPS)]
    return factories.SolutionFactory(problem__project=project, steps=steps, **fields)


def keyed(solution: Solution, by: User, first_error: int) -> None:
    """An adjudicator's verdict: the key."""
    labeler = labelers.person(by=by, project=solution.project, kind=LabelerKind.ADJUDICATOR)
    factories.VerdictFactory(
        labeler=labeler,
        solution=solution,
        first_error=first_error,
        step_labels=list(labels_up_to(first_error, len(solution.steps))),
    )


def answered(
    user: User,
    solution: Solution,
    said: int | None,
    *,
    purpose: str = "label",
    seconds: float = 40,
    at: datetime | None = None,
    **verdict: Any,
) -> Assignment:
    """A submitted item; `said` None: the person rejected it."""
    at = at or timezone.now()
    item = factories.AssignmentFactory(
        solution=solution, user=user, purpose=purpose, active_seconds=seconds, submitted_at=at
    )
    Assignment.objects.filter(pk=item.pk).update(created_at=at - timedelta(minutes=1))
    values: dict[str, Any] = {"state": "rejected", "first_error": None, "step_labels": []}
    if said is not None:
        labels = list(labels_up_to(said, len(solution.steps)))
        values = {"state": "scored", "first_error": said, "step_labels": labels}
    else:
        values |= {"reason": "bad problem", "reason_code": "bad_problem"}
    factories.VerdictFactory(
        labeler=labelers.person(by=user, project=solution.project),
        solution=solution,
        **{"comments": {"steps": {}, "solution": ""}, **values, **verdict},
    )
    item.refresh_from_db()
    return item


def skipped(user: User, solution: Solution, code: str = "give_up", **fields: Any) -> Assignment:
    """An item that the person passed back."""
    return factories.AssignmentFactory(
        solution=solution, user=user, skipped_at=timezone.now(), skip_code=code,
        skip_reason="too hard", **fields,
    )  # fmt: skip
