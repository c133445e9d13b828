"""An adjudicator's verdict: it outranks every other. Given, discarded, taken back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction

from labeling.domain.adjudication import overrules_all
from labeling.domain.assignments import RejectReason
from labeling.domain.labels import LabelerKind, LabelError, VerdictState, labels_up_to
from labeling.domain.refusals import Invalid, Refusal
from labeling.models import AdjudicationLease, GoldItem, Solution, User, Verdict
from labeling.selectors import adjudication as reads
from labeling.services import decisions, events, labelers, verdicts


class NewVerdicts(Refusal):
    """Somebody said something that the adjudicator had not seen."""

    code = "new_verdicts"


class OwnLabelFirst(Refusal):
    """The adjudicator is labeling this solution, blind."""

    code = "own_label_first"


class NotAdjudicated(Refusal):
    """There is no adjudicator's verdict to take back."""

    code = "not_adjudicated"


class TestsPeople(Refusal):
    """The verdict is the key of a gold item."""

    code = "tests_people"


def submit(
    *,
    by: User,
    solution: Solution,
    key: UUID,
    first_error: int,
    reason: str = "",
    seen: str | None = None,
) -> Verdict:
    """Decide the solution's first error (-1 = none).

    A reason is needed where nobody said so before. `seen` (selectors.adjudication.seen) is what
    the adjudicator had before them: raise NewVerdicts if that has changed.
    """
    try:
        labels = labels_up_to(first_error, len(solution.steps))
    except LabelError as error:
        raise Invalid(error.phrase) from error
    values: dict[str, Any] = {
        "state": VerdictState.SCORED,
        "first_error": first_error,
        "step_labels": list(labels),
    }
    return _conclude(by=by, solution=solution, key=key, reason=reason, values=values, seen=seen)


def discard(
    *,
    by: User,
    solution: Solution,
    key: UUID,
    reason: str = "",
    code: RejectReason = RejectReason.OTHER,
    seen: str | None = None,
) -> Verdict:
    """Take the solution out: it cannot be labeled. The code OTHER needs words."""
    values: dict[str, Any] = {
        "state": VerdictState.REJECTED,
        "first_error": None,
        "step_labels": [],
        "reason_code": code,
    }
    reason = reason.strip() or code.words
    return _conclude(by=by, solution=solution, key=key, reason=reason, values=values, seen=seen)


@transaction.atomic
def reopen(*, by: User, solution: Solution, anybodys: bool = False) -> None:
    """Take an adjudicator's verdict back: one's own, or with `anybodys` the latest of all.

    The event keeps what it said. The key of a gold item stays: people are measured by it.
    """
    locked = decisions.lock([solution.pk])
    said = _standing(solution)
    if not anybodys:
        said = said.filter(labeler__user=by)
    latest = said.order_by("-id").first()
    if latest is None:
        raise NotAdjudicated("there is no verdict of yours to take back")
    if GoldItem.objects.filter(solution=solution, active=True).exists():
        raise TestsPeople("this solution tests people: take it off the gold items first")
    events.record(
        by=by,
        action="adjudication taken back",
        project=solution.project,
        subject=solution.uid,
        state=latest.state,
        first_error=latest.first_error,
        reason=latest.reason,
        labeler=latest.labeler.uid,
    )
    latest.delete()
    decisions.refresh(project=solution.project, solutions=locked)


@transaction.atomic
def _conclude(
    *,
    by: User,
    solution: Solution,
    key: UUID,
    reason: str,
    values: dict[str, Any],
    seen: str | None,
) -> Verdict:
    # A verdict that arrives now waits for this lock, or has committed and is seen below.
    locked = decisions.lock([solution.pk])
    before = verdicts.given_before(by=by, key=key, solution=solution.pk)
    if before is not None:
        return before
    if reads.is_labeling(solution, by):
        raise OwnLabelFirst("you are labeling this solution: submit your own label first")
    if seen is not None and seen != reads.seen(solution):
        raise NewVerdicts("something new came in while you decided: look at it and decide again")
    reason = reason.strip()
    _check_reason(by, solution, values, reason)
    project = solution.project
    labeler = labelers.person(by=by, project=project, kind=LabelerKind.ADJUDICATOR)
    # A row of its own, not the old one changed: of several adjudicators the latest (id) outranks.
    Verdict.objects.filter(labeler=labeler, solution=solution).delete()
    verdict = Verdict.objects.create(
        labeler=labeler, solution=solution, reason=reason, submission_key=key, **values
    )
    AdjudicationLease.objects.filter(solution=solution, user=by).delete()
    decisions.refresh(project=project, solutions=locked)
    events.record(
        by=by,
        action="solution adjudicated",
        project=project,
        subject=solution.uid,
        first_error=values["first_error"],
        state=values["state"],
        reason=reason,
    )
    return verdict


def _check_reason(by: User, solution: Solution, values: dict[str, Any], reason: str) -> None:
    if reason:
        return
    if values["state"] is VerdictState.REJECTED:
        raise Invalid("say why the solution is discarded")
    sides = (
        Verdict.objects.filter(solution=solution, labeler__active=True, state=VerdictState.SCORED)
        .exclude(labeler__kind__in=reads.HIDDEN_KINDS)
        .exclude(labeler__user=by, labeler__kind=LabelerKind.ADJUDICATOR)
    )
    if overrules_all(values["first_error"], list(sides.values_list("first_error", flat=True))):
        raise Invalid("nobody has said so before: an adjudication against all needs a reason")


def _standing(solution: Solution) -> Any:
    return Verdict.objects.filter(
        solution=solution, labeler__kind=LabelerKind.ADJUDICATOR, labeler__user__isnull=False
    ).select_related("labeler")
