"""Retrain when a project's policy says so: enough new decisions since the last snapshot."""

from __future__ import annotations

from datetime import datetime

from labeling.domain.consensus import DECIDED
from labeling.domain.releases import Rule
from labeling.models import PRM, Decision, Project, TrainingRun, User
from labeling.models.rewards import TrainingState
from labeling.services import snapshots, training
from labeling.services.freezing.moments import alone_retraining


def request_if_due(*, by: User, project: Project, now: datetime) -> TrainingRun | None:
    """Freeze a snapshot and ask for a training as the champion was trained; None when not due.

    Due: `policy.retrain_after` decisions more than the champion's snapshot had, and no training
    under way. The new PRM is compared on the champion's evaluation set and promoted on a gain.
    """
    with alone_retraining(project) as alone:
        return _request_if_due(by, project, now) if alone else None


def _request_if_due(by: User, project: Project, now: datetime) -> TrainingRun | None:
    champion = (
        PRM.objects.select_related("training_run__snapshot", "training_run__evaluation_set")
        .filter(project=project, champion=True)
        .first()
    )
    if champion is None or not is_due(project=project, champion=champion):
        return None
    before = champion.training_run
    snapshot = snapshots.freeze_now(
        by=by, project=project, name="scheduled retraining", rule=Rule(), now=now
    )
    return training.request(
        by=by,
        snapshot=snapshot,
        evaluation_set=before.evaluation_set,
        name=f"retraining on {snapshot.content_hash[:8]}",
        config={**before.config, "challenge": True},
    )


def is_due(*, project: Project, champion: PRM) -> bool:
    """Say whether the policy asks for a retraining now."""
    wanted = project.policy.retrain_after
    if not wanted:
        return False
    under_way = TrainingRun.objects.filter(project=project).exclude(
        state__in=[TrainingState.DONE, TrainingState.FAILED]
    )
    if under_way.exists():
        return False
    newest = (
        TrainingRun.objects.filter(project=project)
        .order_by("-snapshot__decisions_at_freeze")
        .values_list("snapshot__decisions_at_freeze", flat=True)
        .first()
    )
    decided = Decision.objects.filter(
        project=project, state__in=[str(state) for state in DECIDED]
    ).count()
    return decided - max(newest or 0, champion.training_run.snapshot.decisions_at_freeze) >= wanted
