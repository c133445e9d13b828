"""May a person still correct what they submitted?"""

from __future__ import annotations

from labeling.domain.assignments import Purpose
from labeling.domain.labels import LabelerKind
from labeling.domain.refusals import Refusal
from labeling.models import Assignment, Verdict
from labeling.selectors import exams


class Settled(Refusal):
    """The verdict cannot be corrected any more."""

    code = "settled"


def check_correctable(item: Assignment) -> None:
    """Raise Settled unless the person's verdict on the item may still be corrected."""
    if item.submitted_at is None:
        raise Settled("this item is not submitted")
    if item.purpose == Purpose.EXAM and exams.is_closed(item):
        raise Settled("the exam is over")
    # A hidden gold item always has an adjudicator's verdict: refusing would give it away.
    tests = (Purpose.GOLD, Purpose.EXAM)
    if item.purpose not in tests and _is_adjudicated_by_another(item):
        raise Settled("an adjudicator has decided this item")


def _is_adjudicated_by_another(item: Assignment) -> bool:
    verdicts = Verdict.objects.filter(
        solution=item.solution_id, labeler__kind=LabelerKind.ADJUDICATOR, labeler__active=True
    )
    return verdicts.exclude(labeler__user=item.user_id).exists()
