"""Reads for the smaller pages: projects, data, tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404

from labeling.domain.boards import Board
from labeling.domain.consensus import DecisionState
from labeling.domain.roles import Role
from labeling.models import (
    PRM,
    AnswerCorrection,
    ApiToken,
    BoardCount,
    Membership,
    Project,
    Snapshot,
    TrainingRun,
    User,
)
from labeling.models.rewards import TrainingState


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """One project of a person."""

    project: Project
    role: Role
    solutions: int
    disputed: int


@dataclass(frozen=True, slots=True)
class Trainings:
    """What trains now, and how many trainings wait for their turn."""

    at_work: list[TrainingRun]
    waiting: int


@dataclass(frozen=True, slots=True)
class PrmRow:
    """A reward model with its score at the fixed threshold 0.5; F1 is 0 to 1, None undefined."""

    prm: PRM
    f1: float | None
    splits: tuple[tuple[str, Mapping[str, Any]], ...]

    @property
    def training(self) -> TrainingRun:
        """Return the run that made it."""
        return self.prm.training_run


def projects_with_counts(user: User) -> list[ProjectRow]:
    """Return the user's projects by name, with their size."""
    counted: dict[int, Counter[str]] = {}
    rows = Membership.objects.filter(user=user).select_related("project").order_by("project__name")
    found = list(rows)
    flow = BoardCount.objects.filter(project__in=[r.project_id for r in found], board=Board.FLOW)
    for project, (state, *_), n in flow.values_list("project", "key", "n"):
        counted.setdefault(project, Counter())[state] += n
    return [
        ProjectRow(
            row.project,
            Role(row.role),
            counted.get(row.project_id, Counter()).total(),
            counted.get(row.project_id, Counter())[DecisionState.DISPUTED],
        )
        for row in found
    ]


def snapshots_of(project: Project) -> list[Snapshot]:
    """Return the project's snapshots, newest first.

    `corrected`: how many reference answers were corrected after it was frozen.
    """
    later = AnswerCorrection.objects.filter(
        project=OuterRef("project"), applied_at__gt=OuterRef("frozen_at")
    )
    counted = later.order_by().values("project").annotate(n=Count("pk")).values("n")
    return list(
        Snapshot.objects.filter(project=project)
        .annotate(corrected=Coalesce(Subquery(counted), 0))
        .select_related("created_by")
        .order_by("-id")
    )


def trainings_of(project: Project) -> list[TrainingRun]:
    """Return the project's training runs, newest first."""
    return list(
        TrainingRun.objects.filter(project=project)
        .select_related("snapshot", "evaluation_set")
        .order_by("-id")
    )


def trainings_under_way(project: Project) -> Trainings:
    """Return the trainings at work, oldest first, and how many wait for their turn."""
    rows = TrainingRun.objects.filter(project=project).order_by("id")
    alive = list(rows.exclude(state__in=[TrainingState.DONE, TrainingState.FAILED]))
    at_work = [run for run in alive if run.state != TrainingState.WAITING]
    return Trainings(at_work, len(alive) - len(at_work))


def prms_of(project: Project, limit: int | None = None) -> list[PrmRow]:
    """Return the project's reward models, at most `limit`: the champion first, then the newest."""
    rows = (
        PRM.objects.filter(project=project)
        .select_related("training_run__snapshot", "promoted_by", "project")
        .order_by("-champion", "-id")
    )
    return [prm_row(row) for row in rows[:limit]]


def tokens_of(user: User) -> list[ApiToken]:
    """Return the user's API tokens, newest first."""
    return list(ApiToken.objects.filter(user=user).order_by("-id"))


def token_of(user: User, prefix: str) -> ApiToken:
    """Return the user's own token or raise Http404."""
    token = ApiToken.objects.filter(user=user, prefix=prefix).first()
    if token is None:
        raise Http404("no such token")
    return token


def prm_row(row: PRM) -> PrmRow:
    """Return a model with its figures."""
    splits = row.metrics.get("splits") or {}
    return PrmRow(row, row.metrics.get("f1"), tuple(splits.items()))
