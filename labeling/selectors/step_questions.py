"""Where people were unsure, with their notes: what the guidelines may have to say more about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

from labeling.domain.labels import LabelerKind
from labeling.models import Project, Verdict

PER_PAGE = 20


@dataclass(frozen=True, slots=True)
class QuestionedStep:
    """A step that the person marked unsure or wrote a note on. `number` counts from 1."""

    number: int
    text: str
    unsure: bool
    note: str


@dataclass(frozen=True, slots=True)
class Question:
    """One person's doubts about one solution."""

    solution: str
    person: str
    at: datetime
    note: str
    steps: tuple[QuestionedStep, ...]


@dataclass(frozen=True, slots=True)
class Questions:
    """One page of the doubts."""

    rows: tuple[Question, ...]
    page: Page[Verdict]


def questions(project: Project, number: str) -> Questions:
    """Return a page of the doubts, newest first; an unknown page number means the nearest page."""
    page = Paginator(_doubtful(project), PER_PAGE).get_page(number)
    return Questions(tuple(map(_question, page)), page)


def _doubtful(project: Project) -> QuerySet[Verdict]:
    return (
        Verdict.objects.filter(
            labeler__project=project,
            labeler__kind=LabelerKind.HUMAN,
            labeler__user__isnull=False,  # an imported "neutral" is nobody's question
            step_labels__contains=[0],
        )
        .select_related("solution", "labeler__user")
        .order_by("-updated_at", "-pk")
    )


def _question(verdict: Verdict) -> Question:
    notes = verdict.comments.get("steps", {})
    steps = tuple(
        QuestionedStep(index + 1, text, label == 0, notes.get(str(index), ""))
        for index, (text, label) in enumerate(
            zip(verdict.solution.steps, verdict.step_labels, strict=True)
        )
        if label == 0 or notes.get(str(index))
    )
    return Question(
        verdict.solution.uid,
        str(verdict.labeler.user),
        verdict.updated_at,
        verdict.comments.get("solution", ""),
        steps,
    )
