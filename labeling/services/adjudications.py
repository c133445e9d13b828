"""An adjudicator's verdict: it outranks every other."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction

from labeling.domain.labels import LabelerKind, LabelError, VerdictState, labels_up_to
from labeling.domain.refusals import Invalid
from labeling.models import Solution, User, Verdict
from labeling.services import decisions, events, labelers


def submit(*, by: User, solution: Solution, key: UUID, first_error: int, reason: str) -> Verdict:
    """Decide the solution's first error (-1 = none); a reason is required."""
    try:
        labels = labels_up_to(first_error, len(solution.steps))
    except LabelError as error:
        raise Invalid(error.phrase) from error
    values: dict[str, Any] = {
        "state": VerdictState.SCORED,
        "first_error": first_error,
        "step_labels": list(labels),
    }
    return _conclude(by=by, solution=solution, key=key, reason=reason, values=values)


def discard(*, by: User, solution: Solution, key: UUID, reason: str) -> Verdict:
    """Take the solution out: it cannot be labeled."""
    values: dict[str, Any] = {
        "state": VerdictState.REJECTED,
        "first_error": None,
        "step_labels": [],
    }
    return _conclude(by=by, solution=solution, key=key, reason=reason, values=values)


@transaction.atomic
def _conclude(
    *, by: User, solution: Solution, key: UUID, reason: str, values: dict[str, Any]
) -> Verdict:
    if not reason.strip():
        raise Invalid("an adjudication needs a reason")
    locked = decisions.lock([solution.pk])
    before = Verdict.objects.filter(submission_key=key, labeler__user=by).first()
    if before is not None:
        return before
    project = solution.project
    verdict, _ = Verdict.objects.update_or_create(
        labeler=labelers.person(by=by, project=project, kind=LabelerKind.ADJUDICATOR),
        solution=solution,
        defaults={**values, "reason": reason.strip(), "submission_key": key},
    )
    decisions.refresh(project=project, solutions=locked)
    events.record(
        by=by,
        action="solution adjudicated",
        project=project,
        subject=solution.uid,
        first_error=values["first_error"],
        state=values["state"],
    )
    return verdict
