"""Conclude an item with a verdict, correct it later, open the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from labeling.domain.assignments import RejectReason
from labeling.domain.labels import LabelerKind, VerdictState
from labeling.domain.refusals import Invalid
from labeling.models import Assignment, Project, User, Verdict
from labeling.selectors.annotate import evidence_kinds
from labeling.selectors.corrections import check_correctable
from labeling.services import decisions, events, labelers
from labeling.services.assignments import leases, rows
from labeling.services.assignments.drafting import check_version
from labeling.services.verdicts import given_before


class Incomplete(Invalid):
    """The labels do not yet say where the first error is."""

    code = "incomplete"


@transaction.atomic
def submit(
    *,
    by: User,
    uid: str,
    key: UUID,
    draft: Mapping[str, Any],
    active_seconds: float,
    now: datetime,
    within: Project | None = None,
    show: bool = False,
) -> Verdict:
    """Turn the labels into the person's verdict. The same key again returns the same verdict.

    `show`: the evidence that the person may see then is shown with the answer, and that is noted.

    A lease that ran out meanwhile does not matter: labels that were given are never lost. Where
    others took all places since, the solution gets one label more than the overlap asks for.
    """
    # Two devices submit two items of one person, the first ones: each would hold its own item and
    # wait for the other, for the labeler's row that is made here or the item that is promoted.
    role = leases.turn(by, within or rows.project_of(by, uid))
    # The browser repeats a submit whose answer got lost while the first is still under way: it
    # waits above, then finds the first one's verdict by its key.
    item = rows.locked(by, uid, within)
    if before := given_before(by=by, key=key, solution=item.solution_id):
        return before
    rows.check_open(item)
    # Somebody else may hold the last place by now and submit at this very moment (lease_next after
    # our lease ran out). Both verdicts stand: whoever comes second to the solution's row in _store
    # sees the first one's, and `places` stops at 0.
    values = _filled(item, draft, active_seconds, key)
    if show and evidence_kinds(item, role):
        item.evidence_seen_at = now
    verdict = _conclude(item, by=by, now=now, action="verdict submitted", values=values)
    if item.evidence_seen_at:
        _note_seen(by, item.project, uid)
    return verdict


@transaction.atomic
def correct(
    *,
    by: User,
    uid: str,
    key: UUID,
    version: int,
    draft: Mapping[str, Any],
    active_seconds: float,
    within: Project | None = None,
) -> Verdict:
    """Replace the labels of a submitted item; the old ones stay in the audit trail.

    `version` is the draft_version that the page was loaded with. The verdict counts as informed
    if the person had opened the evidence before.
    """
    item = rows.locked(by, uid, within)
    if before := given_before(by=by, key=key, solution=item.solution_id):
        return before
    check_correctable(item)
    check_version(item, version)
    values = _filled(item, draft, active_seconds, key)
    values["informed"] = item.evidence_seen_at is not None
    before_it = _own(item).values(
        "state", "first_error", "step_labels", "comments", "reason", "informed"
    )
    return _store(item, by=by, action="verdict corrected", values=values, before=before_it.get())


@transaction.atomic
def reject(
    *,
    by: User,
    uid: str,
    code: RejectReason,
    words: str = "",
    now: datetime,
    within: Project | None = None,
) -> Verdict:
    """Say that the item cannot be labeled, and why; OTHER needs words."""
    leases.turn(by, within or rows.project_of(by, uid))
    item = rows.open_item(by, uid, within)
    reason = words.strip() or code.words
    if not reason:
        raise Invalid("say what is wrong with the item")
    values: dict[str, Any] = {
        "state": VerdictState.REJECTED,
        "first_error": None,
        "step_labels": [],
        "reason": reason,
        "reason_code": code,
    }
    return _conclude(item, by=by, now=now, action="item rejected", values=values, code=code)


@transaction.atomic
def see_evidence(*, by: User, within: Project, uid: str, now: datetime) -> None:
    """Note that the person now knows what others said of a submitted item; once is enough."""
    seen = Assignment.objects.filter(
        uid=uid, user=by, project=within, submitted_at__isnull=False, evidence_seen_at=None
    ).update(evidence_seen_at=now)
    if seen:
        _note_seen(by, within, uid)


def _note_seen(by: User, project: Project, uid: str) -> None:
    events.record(by=by, action="evidence opened", project=project, subject=uid)


def _own(item: Assignment) -> QuerySet[Verdict]:
    return Verdict.objects.filter(
        solution=item.solution_id, labeler__user=item.user_id, labeler__kind=LabelerKind.HUMAN
    )


def _filled(
    item: Assignment, draft: Mapping[str, Any], active_seconds: float, key: UUID
) -> dict[str, Any]:
    """Write the labels into the item's row, unsaved, and return what the verdict says."""
    read = rows.read(item, draft)
    first_error = read.first_error
    if first_error is None:
        raise Incomplete("label every step up to the first wrong one before submitting")
    item.draft, item.draft_version = read.to_dict(), item.draft_version + 1
    item.active_seconds = max(item.active_seconds, float(active_seconds))
    return {
        "state": VerdictState.SCORED,
        "first_error": first_error,
        "step_labels": list(read.labels),
        "comments": {"steps": dict(read.notes), "solution": read.note},
        "reason": "",
        "reason_code": "",
        "submission_key": key,
    }


def _conclude(
    item: Assignment,
    *,
    by: User,
    now: datetime,
    action: str,
    values: dict[str, Any],
    **details: Any,
) -> Verdict:
    item.submitted_at = now
    verdict = _store(item, by=by, action=action, values=values, **details)
    if not item.ahead:
        rows.promote(by, item.project)
    return verdict


def _store(
    item: Assignment, *, by: User, action: str, values: dict[str, Any], **details: Any
) -> Verdict:
    solutions = decisions.lock([item.solution_id])
    labeler = labelers.person(by=by, project=item.project, kind=LabelerKind.HUMAN)
    values = {**values, "seconds": item.active_seconds}
    [verdict] = Verdict.objects.bulk_create(
        [Verdict(labeler=labeler, solution=solutions[0], **values)],
        update_conflicts=True,
        unique_fields=["labeler", "solution"],
        update_fields=[*values, "updated_at"],
    )
    item.save(
        update_fields=[
            "draft", "draft_version", "active_seconds", "submitted_at", "evidence_seen_at",
        ]
    )  # fmt: skip
    decisions.refresh(project=item.project, solutions=solutions)
    events.record(by=by, action=action, project=item.project, subject=item.uid, **details)
    return verdict
