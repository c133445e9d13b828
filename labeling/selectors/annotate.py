"""What the annotate page shows: the item, the draft, and nothing that blindness hides."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Left
from django.http import Http404

from labeling.domain.assignments import Purpose
from labeling.domain.consensus import DecisionState
from labeling.domain.drafts import read_draft
from labeling.domain.labels import LabelerKind
from labeling.domain.policy import LabelMode
from labeling.domain.roles import Role
from labeling.domain.visibility import visible_kinds
from labeling.models import Assignment, Decision, Project, User, Verdict
from labeling.models.compiled import Compiled, given
from labeling.selectors.evidence import Evidence, evidence
from labeling.selectors.voices import Voice

PAST_SHOWN = 20
STATEMENT_SHOWN = 120
"""Characters of a past item's statement."""
WAITING_COUNTED = 1000
"""More are not counted: it is of no use to anybody, and takes long."""


@dataclass(frozen=True, slots=True)
class Item:
    """One leased solution. `reference` is None where the policy hides it or none is known."""

    uid: str
    statement: str
    reference: str | None
    evidence: Evidence
    draft: dict[str, Any]
    draft_version: int
    active_seconds: float
    mode: LabelMode
    expires_at: datetime
    editing: bool
    """It is submitted already, and shown again to be corrected."""

    @property
    def step_count(self) -> int:
        """Return the number of steps."""
        return len(self.evidence.steps)


@dataclass(frozen=True, slots=True)
class Submitted:
    """A submitted item: the person's own verdict beside the evidence that they may see now."""

    statement: str
    reference: str | None
    own: Voice | None
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Past:
    """Something that the person submitted or skipped. `first_error`: their own, None: rejected."""

    uid: str
    statement: str
    state: str
    first_error: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """The person's work today and what waits in the queue, counted up to WAITING_COUNTED."""

    done_today: int
    waiting: int

    @property
    def waiting_words(self) -> str:
        """Return how many wait, with a plus where there may be more."""
        return f"{self.waiting}{'+' if self.waiting >= WAITING_COUNTED else ''}"


def own_assignment(user: User, project: Project, uid: str) -> Assignment:
    """Return the person's assignment in this project, open or not, or raise Http404."""
    found = _own_assignment.first(uid=uid, user=user.pk, project=project.pk)
    if found is None:
        raise Http404("no such item")
    found.user, found.project = user, project
    return found


@Compiled
def _own_assignment() -> QuerySet[Assignment]:
    own = Assignment.objects.filter(uid=given("uid"), user=given("user"), project=given("project"))
    return own.select_related("solution__problem")


def item(assignment: Assignment, role: Role | None) -> Item:
    """Return the item to label. Machine labels come along only where the policy is not blind."""
    solution, policy = assignment.solution, assignment.project.policy
    kinds = _kinds(assignment, role, submitted=False)
    return Item(
        uid=assignment.uid,
        statement=solution.problem.statement,
        reference=_reference(assignment),
        evidence=evidence(solution, kinds),
        draft=read_draft(assignment.draft, len(solution.steps)).to_dict(),
        draft_version=assignment.draft_version,
        active_seconds=assignment.active_seconds,
        mode=policy.label_mode,
        expires_at=assignment.expires_at,
        editing=assignment.submitted_at is not None,
    )


def submitted(assignment: Assignment, role: Role | None) -> Submitted:
    """Return a submitted item with the evidence; raise Http404 while it is not submitted."""
    if assignment.submitted_at is None:
        raise Http404("this item is not submitted")
    kinds = evidence_kinds(assignment, role)
    shown = evidence(assignment.solution, kinds, viewer=assignment.user)
    return Submitted(
        statement=assignment.solution.problem.statement,
        reference=_reference(assignment),
        own=shown.own,
        evidence=shown,
    )


def evidence_kinds(assignment: Assignment, role: Role | None) -> frozenset[LabelerKind]:
    """Return the kinds of labelers that the person may see once the item is submitted."""
    return _kinds(assignment, role, submitted=True)


def kinds_now(assignment: Assignment, role: Role | None) -> frozenset[LabelerKind]:
    """Return the kinds of labelers that the person may see on the item, submitted or not."""
    return _kinds(assignment, role, submitted=assignment.submitted_at is not None)


def _kinds(assignment: Assignment, role: Role | None, *, submitted: bool) -> frozenset[LabelerKind]:
    policy, purpose = assignment.project.policy, Purpose(assignment.purpose)
    return visible_kinds(role, policy, labeling=True, submitted=submitted, purpose=purpose)


def history(user: User, project: Project) -> list[dict[str, Any]]:
    """Return the person's last submissions and skips, newest first, JSON-ready."""
    own = Verdict.objects.filter(
        solution=OuterRef("solution"), labeler__user=user, labeler__kind=LabelerKind.HUMAN
    )
    rows = Assignment.objects.filter(user=user, project=project).annotate(
        statement=Left("solution__problem__statement", STATEMENT_SHOWN),
        first_error=Subquery(own.values("first_error")[:1]),
    )
    submitted = rows.filter(submitted_at__isnull=False).order_by("-submitted_at")[:PAST_SHOWN]
    skipped = rows.filter(skipped_at__isnull=False).order_by("-skipped_at")[:PAST_SHOWN]
    past = [_past(row) for row in (*submitted, *skipped)]
    newest = sorted(past, key=lambda one: one.at, reverse=True)[:PAST_SHOWN]
    return [asdict(one) for one in newest]


def _past(row: Any) -> Past:
    return Past(
        uid=row.uid,
        statement=row.statement,
        state="skipped" if row.skipped_at else "submitted",
        first_error=row.first_error,
        at=row.skipped_at or row.submitted_at,
    )


def progress(user: User, project: Project, now: datetime) -> Progress:
    """Count the person's submissions since midnight and the disputes that wait for people."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return Progress(
        done_today=Assignment.objects.filter(
            user=user, project=project, submitted_at__gte=midnight
        ).count(),
        waiting=Decision.objects.filter(
            project=project, state=DecisionState.DISPUTED, places__gt=0
        )[:WAITING_COUNTED].count(),
    )


def _reference(assignment: Assignment) -> str | None:
    if not assignment.project.policy.show_reference:
        return None
    return assignment.solution.problem.answer or None
