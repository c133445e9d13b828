"""What the annotate page shows: the item, the draft, and nothing that blindness hides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404

from labeling.domain.consensus import DecisionState
from labeling.domain.drafts import read_draft
from labeling.domain.policy import LabelMode
from labeling.domain.roles import Role
from labeling.domain.visibility import visible_kinds
from labeling.models import Assignment, Decision, Project, User
from labeling.selectors.evidence import Evidence, evidence
from labeling.selectors.voices import Voice, own_voice


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
class Progress:
    """The person's work today and what waits in the queue."""

    done_today: int
    waiting: int


def open_assignment(user: User, project: Project, uid: str) -> Assignment:
    """Return the person's own assignment in this project, or raise Http404."""
    found = (
        Assignment.objects.filter(uid=uid, user=user, project=project)
        .select_related("solution__problem", "project", "user")
        .first()
    )
    if found is None:
        raise Http404("no such item")
    return found


def item(assignment: Assignment, role: Role | None) -> Item:
    """Return the item to label. Machine labels come along only where the policy is not blind."""
    solution, policy = assignment.solution, assignment.project.policy
    kinds = visible_kinds(role, policy, labeling=True, submitted=False)
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
    )


def submitted(assignment: Assignment, role: Role | None) -> Submitted:
    """Return a submitted item with the evidence; raise Http404 while it is not submitted."""
    if assignment.submitted_at is None:
        raise Http404("this item is not submitted")
    policy = assignment.project.policy
    kinds = visible_kinds(role, policy, labeling=True, submitted=True)
    own = own_voice(assignment.solution, assignment.user)
    return Submitted(
        statement=assignment.solution.problem.statement,
        reference=_reference(assignment),
        own=own,
        evidence=evidence(assignment.solution, kinds, own),
    )


def progress(user: User, project: Project, now: datetime) -> Progress:
    """Count the person's submissions since midnight and the disputed solutions."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return Progress(
        done_today=Assignment.objects.filter(
            user=user, project=project, submitted_at__gte=midnight
        ).count(),
        waiting=Decision.objects.filter(project=project, state=DecisionState.DISPUTED).count(),
    )


def _reference(assignment: Assignment) -> str | None:
    if not assignment.project.policy.show_reference:
        return None
    return assignment.solution.problem.answer or None
