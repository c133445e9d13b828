"""Hand solutions to people: lease, draft, submit, skip, reject."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from labeling.domain.drafts import Draft, DraftError, read_draft
from labeling.domain.labels import LabelerKind, VerdictState
from labeling.domain.refusals import Invalid, NotAllowed, Refusal
from labeling.models import Assignment, Project, User, Verdict
from labeling.services import decisions, events, labelers

# The most valuable solution of a kind that this person neither labeled nor skipped and that fewer
# people hold or have labeled than the overlap asks for. Two people may ask at the same moment:
# the decision row's lock (SKIP LOCKED) hands them different solutions.
_NEXT = """
SELECT d.solution_id FROM labeling_decision d
WHERE d.project_id = %(project)s AND {kind}
  AND NOT EXISTS (SELECT 1 FROM labeling_assignment mine
                  WHERE mine.solution_id = d.solution_id AND mine.user_id = %(user)s
                    AND (mine.submitted_at IS NOT NULL OR mine.skipped_at IS NOT NULL))
  AND (SELECT count(*) FROM labeling_assignment a
       WHERE a.solution_id = d.solution_id AND a.user_id <> %(user)s AND a.skipped_at IS NULL
         AND (a.submitted_at IS NOT NULL OR a.expires_at > %(now)s)) < %(overlap)s
ORDER BY d.priority DESC, d.solution_id
LIMIT 1 FOR UPDATE OF d SKIP LOCKED
"""

_DISPUTED = "d.state = 'disputed'"

# What the machines left open, unless they are still at work on it.
_LEFT_OPEN = """d.state = 'undecided' AND NOT EXISTS (
    SELECT 1 FROM labeling_run r
    WHERE r.project_id = d.project_id AND r.kind IN ('mc', 'judge')
      AND r.state IN ('running', 'paused'))"""

# Decided by the labels of an imported file alone: nobody of this project has labeled it.
_IMPORTED = """d.state = 'adjudicated' AND NOT EXISTS (
    SELECT 1 FROM labeling_verdict v JOIN labeling_labeler l ON l.id = v.labeler_id
    WHERE v.solution_id = d.solution_id AND l.user_id IS NOT NULL)"""


class StaleDraft(Refusal):
    """A newer draft exists: another tab or device saved after this page was loaded."""

    code = "stale_draft"


class Closed(Refusal):
    """The item was submitted or skipped already."""

    code = "closed"


class Incomplete(Invalid):
    """The labels do not yet say where the first error is."""

    code = "incomplete"


@transaction.atomic
def lease_next(*, by: User, project: Project, now: datetime) -> Assignment | None:
    """Return the person's open item, renewed, or lease the best one; None when none is left."""
    lease_until = now + timedelta(minutes=project.policy.lease_minutes)
    mine = (
        Assignment.objects.select_for_update()
        .filter(project=project, user=by, submitted_at=None, skipped_at=None)
        .first()
    )
    if mine is not None:
        if mine.expires_at > now or not _taken_by_others(mine, now, project):
            mine.expires_at = lease_until
            mine.save(update_fields=["expires_at"])
            return mine
        mine.delete()  # the lease ran out and others have taken all places on this solution
    solution_id = _next_solution(by, project, now)
    if solution_id is None:
        return None
    assignment = Assignment.objects.create(
        project=project, solution_id=solution_id, user=by, expires_at=lease_until
    )
    events.record(by=by, action="item leased", project=project, subject=assignment.uid)
    return assignment


@transaction.atomic
def save_draft(
    *,
    by: User,
    uid: str,
    version: int,
    draft: Mapping[str, Any],
    active_seconds: float,
    now: datetime,
) -> Assignment:
    """Keep the labels so far. `version` is the draft_version that the page was working on."""
    assignment = _open(by, uid)
    if version != assignment.draft_version:
        raise StaleDraft("a newer draft of this item was saved elsewhere")
    assignment.draft = _read(assignment, draft).to_dict()
    assignment.draft_version += 1
    _touch(assignment, active_seconds, now)
    return assignment


@transaction.atomic
def submit(
    *,
    by: User,
    uid: str,
    key: UUID,
    draft: Mapping[str, Any],
    active_seconds: float,
    now: datetime,
) -> Verdict:
    """Turn the labels into the person's verdict. The same key again returns the same verdict."""
    # The browser repeats a submit whose answer got lost while the first is still under way: it
    # waits for the row here, then finds the first one's verdict by its key.
    assignment = _locked(by, uid)
    before = Verdict.objects.filter(submission_key=key, labeler__user=by).first()
    if before is not None:
        return before
    _check_open(assignment)
    read = _read(assignment, draft)
    first_error = read.first_error
    if first_error is None:
        raise Incomplete("label every step up to the first wrong one before submitting")
    return _conclude(
        assignment,
        by=by,
        now=now,
        active_seconds=active_seconds,
        action="verdict submitted",
        values={
            "state": VerdictState.SCORED,
            "first_error": first_error,
            "step_labels": list(read.labels),
            "comments": {"steps": dict(read.notes), "solution": read.note},
            "submission_key": key,
        },
    )


@transaction.atomic
def reject(*, by: User, uid: str, reason: str, now: datetime) -> Verdict:
    """Say that the item cannot be labeled: bad problem, wrong reference answer, bad steps."""
    assignment = _open(by, uid)
    if not reason.strip():
        raise Invalid("say what is wrong with the item")
    return _conclude(
        assignment,
        by=by,
        now=now,
        active_seconds=assignment.active_seconds,
        action="item rejected",
        values={"state": VerdictState.REJECTED, "reason": reason.strip()},
    )


@transaction.atomic
def skip(*, by: User, uid: str, reason: str, now: datetime) -> Assignment:
    """Return the item to the others, with a reason."""
    assignment = _open(by, uid)
    if not reason.strip():
        raise Invalid("say why you skip the item")
    assignment.skipped_at = now
    assignment.skip_reason = reason.strip()
    assignment.save(update_fields=["skipped_at", "skip_reason"])
    events.record(by=by, action="item skipped", project=assignment.project, subject=uid)
    return assignment


def _conclude(
    assignment: Assignment,
    *,
    by: User,
    now: datetime,
    active_seconds: float,
    action: str,
    values: dict[str, Any],
) -> Verdict:
    solutions = decisions.lock([assignment.solution_id])
    labeler = labelers.person(by=by, project=assignment.project, kind=LabelerKind.HUMAN)
    _touch(assignment, active_seconds, now)
    verdict, _ = Verdict.objects.update_or_create(
        labeler=labeler,
        solution=solutions[0],
        defaults={**values, "seconds": assignment.active_seconds},
    )
    assignment.submitted_at = now
    assignment.save(update_fields=["submitted_at"])
    decisions.refresh(project=assignment.project, solutions=solutions)
    events.record(by=by, action=action, project=assignment.project, subject=assignment.uid)
    return verdict


def _open(by: User, uid: str) -> Assignment:
    # Two tabs submit at once: the second waits for the row and finds it closed.
    assignment = _locked(by, uid)
    _check_open(assignment)
    return assignment


def _check_open(assignment: Assignment) -> None:
    if assignment.submitted_at or assignment.skipped_at:
        raise Closed("this item was submitted or skipped already")


def _locked(by: User, uid: str) -> Assignment:
    assignment = (
        Assignment.objects.select_for_update(of=("self",))
        .select_related("project", "solution")
        .filter(uid=uid)
        .first()
    )
    if assignment is None or assignment.user_id != by.pk:
        raise NotAllowed("this item is not leased to you")
    return assignment


def _read(assignment: Assignment, draft: Mapping[str, Any]) -> Draft:
    try:
        return read_draft(draft, len(assignment.solution.steps))
    except DraftError as error:
        raise Invalid(str(error)) from error


def _touch(assignment: Assignment, active_seconds: float, now: datetime) -> None:
    minutes = assignment.project.policy.lease_minutes
    assignment.active_seconds = max(assignment.active_seconds, float(active_seconds))
    assignment.expires_at = now + timedelta(minutes=minutes)
    assignment.save(update_fields=["draft", "draft_version", "active_seconds", "expires_at"])


def _taken_by_others(mine: Assignment, now: datetime, project: Project) -> bool:
    others = Assignment.objects.filter(solution=mine.solution_id, skipped_at=None).exclude(
        pk=mine.pk
    )
    active = others.filter(expires_at__gt=now) | others.filter(submitted_at__isnull=False)
    return active.count() >= project.policy.human_overlap


def _next_solution(by: User, project: Project, now: datetime) -> int | None:
    values: dict[str, Any] = {
        "project": project.pk,
        "user": by.pk,
        "now": now,
        "overlap": project.policy.human_overlap,
    }
    kinds = [_DISPUTED, _LEFT_OPEN, *([_IMPORTED] if project.policy.check_imported else [])]
    with connection.cursor() as cursor:
        for kind in kinds:
            cursor.execute(_NEXT.format(kind=kind), values)
            if row := cursor.fetchone():
                return int(row[0])
    return None
