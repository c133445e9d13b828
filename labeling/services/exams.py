"""The screening exam: grant another attempt, note that a result was seen."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from labeling.domain.assignments import Purpose
from labeling.domain.refusals import Invalid, Refusal
from labeling.models import Assignment, ExamGrant, Membership, Project, User
from labeling.selectors import exams
from labeling.services import events


class NotFailed(Refusal):
    """Another attempt was granted to somebody who has not failed the exam."""

    code = "not_failed"


class TooFewFresh(Refusal):
    """The person has seen too many of the exam's items for another attempt."""

    code = "too_few_fresh"


@transaction.atomic
def grant(*, by: User, project: Project, user: User, reason: str) -> ExamGrant:
    """Let a person who failed the exam take it once more, with items that they never saw.

    Refused where fewer fresh items are left than the attempt before had.
    """
    if not reason.strip():
        raise Invalid("say why: whoever reads the history will ask")
    # Two managers grant at once, or the person's browser asks for the next item meanwhile: the
    # second waits for the membership's row, then finds the attempt begun.
    Membership.objects.select_for_update(no_key=True).filter(user=user, project=project).first()
    standing = exams.standing(user, project)
    if not standing.failed:
        raise NotFailed("only somebody who failed the exam can take it again")
    fresh = exams.unseen(user, project).count()
    if fresh < standing.required:
        raise TooFewFresh(
            "only {fresh} exam items are left that this person has not seen, {required} are"
            " needed: add some first",
            fresh=fresh,
            required=standing.required,
        )
    given = ExamGrant.objects.create(
        project=project, user=user, reason=reason.strip(), granted_by=by
    )
    events.record(
        by=by, action="exam granted again", project=project, subject=user.username,
        reason=given.reason, right=standing.right, of=standing.required,
    )  # fmt: skip
    return given


@transaction.atomic
def see_result(*, by: User, project: Project, now: datetime) -> None:
    """Note that the person now knows the keys of the exam that is over; once is enough."""
    if not exams.standing(by, project).over:
        return
    seen = Assignment.objects.filter(
        project=project, user=by, purpose=Purpose.EXAM, submitted_at__isnull=False,
        evidence_seen_at=None,
    ).update(evidence_seen_at=now)  # fmt: skip
    if seen:
        events.record(by=by, action="exam result seen", project=project, subject=by.username)
