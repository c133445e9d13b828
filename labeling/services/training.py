"""Training runs and the PRMs that come of them: request, lease, finish, promote."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from labeling import dispatch
from labeling.domain.hashing import config_hash
from labeling.domain.refusals import Refusal
from labeling.domain.training_settings import OPTIONS, SCRATCH, read
from labeling.models import PRM, Project, Snapshot, TrainingRun, User
from labeling.models.rewards import TrainingState
from labeling.services import events

LEASE = timedelta(seconds=60)
"""A worker that trains renews its lease every few seconds; a dead one's run is taken over."""


class NotFrozen(Refusal):
    """A training needs the files of a snapshot that has none yet."""

    code = "not_frozen"


@transaction.atomic
def request(
    *,
    by: User,
    snapshot: Snapshot,
    evaluation_set: Snapshot | None,
    name: str,
    config: Mapping[str, Any],
) -> TrainingRun:
    """Ask for a training; the same snapshot, evaluation and settings return the earlier run."""
    values = {**config, "evaluation_set": evaluation_set.content_hash if evaluation_set else None}
    run, made = TrainingRun.objects.get_or_create(
        snapshot=snapshot,
        config_hash=config_hash(values),
        defaults={
            "project": snapshot.project,
            "name": name[:120],
            "config": values,
            "evaluation_set": evaluation_set,
            "created_by": by,
        },
    )
    if made:
        events.record(
            by=by, action="training requested", project=run.project, subject=run.uid, config=values
        )
    if run.state != TrainingState.DONE:
        ring(run=run)
    return run


def ask(
    *,
    by: User,
    snapshot: Snapshot,
    evaluation_set: Snapshot | None,
    like: TrainingRun | None,
    name: str,
    settings: Mapping[str, Any],
) -> TrainingRun:
    """Ask for a training with the settings of another one, changed by `settings`.

    Without another one a backbone is made from the data. Raise BadSetting, and NotFrozen where a
    snapshot has no files yet.
    """
    for used in filter(None, (snapshot, evaluation_set)):
        if not used.frozen_at:
            raise NotFrozen("the snapshot {name} is not frozen yet", name=used.name)
    before = like.config if like else {"backbone": SCRATCH}
    config = {key: value for key, value in before.items() if key in ("backbone", *OPTIONS)}
    return request(
        by=by,
        snapshot=snapshot,
        evaluation_set=evaluation_set,
        name=name,
        config={**config, **read(settings)},
    )


def ring(*, run: TrainingRun) -> None:
    """Wake a worker for the training."""
    dispatch.ring("workers.train", run.uid, queue="train")


@transaction.atomic
def claim(*, uid: str, now: datetime) -> TrainingRun | None:
    """Lease a training that waits, or whose worker is gone; None when there is nothing to do.

    Two workers may hear the bell: the row's lock lets one take the lease, the other sees it held.
    """
    run = TrainingRun.objects.select_for_update(skip_locked=True).filter(uid=uid).first()
    if run is None or run.state in {TrainingState.DONE, TrainingState.FAILED}:
        return None
    if run.state != TrainingState.WAITING and run.lease_until and run.lease_until > now:
        return None
    run.state, run.lease_until = TrainingState.TRAINING, now + LEASE
    run.save(update_fields=["state", "lease_until"])
    return run


def progressed(
    *, run: TrainingRun, state: TrainingState, progress: Mapping[str, Any], now: datetime
) -> None:
    """Renew the lease and show how far the training is."""
    TrainingRun.objects.filter(pk=run.pk).update(
        state=state, progress=dict(progress), lease_until=now + LEASE
    )


@transaction.atomic
def finish(
    *,
    by: User,
    run: TrainingRun,
    folder: str,
    metrics: Mapping[str, Any],
    seconds: float,
    now: datetime,
) -> PRM:
    """Register the trained PRM; a second finish of the same run returns the first one's."""
    run = TrainingRun.objects.select_for_update().get(pk=run.pk)
    prm, made = PRM.objects.get_or_create(
        training_run=run,
        defaults={"project_id": run.project_id, "folder": folder, "metrics": dict(metrics)},
    )
    run.state, run.reason, run.finished_at, run.seconds = TrainingState.DONE, "", now, seconds
    run.save(update_fields=["state", "reason", "finished_at", "seconds"])
    if made:
        events.record(by=by, action="PRM trained", project=run.project, subject=prm.uid)
        if run.config.get("challenge"):
            challenge(by=by, prm=prm, now=now)
    return prm


@transaction.atomic
def fail(*, by: User, run: TrainingRun, reason: str, now: datetime) -> None:
    """End a training that cannot succeed, with its reason."""
    TrainingRun.objects.filter(pk=run.pk).update(
        state=TrainingState.FAILED, reason=reason[:4000] or "no reason given", finished_at=now
    )
    events.record(
        by=by, action="training failed", project=run.project, subject=run.uid, reason=reason[:500]
    )


@transaction.atomic
def retry(*, by: User, run: TrainingRun) -> TrainingRun:
    """Let a failed training wait again."""
    TrainingRun.objects.filter(pk=run.pk, state=TrainingState.FAILED).update(
        state=TrainingState.WAITING, reason="", finished_at=None
    )
    events.record(by=by, action="training retried", project=run.project, subject=run.uid)
    run.refresh_from_db()
    ring(run=run)
    return run


@transaction.atomic
def challenge(*, by: User, prm: PRM, now: datetime) -> bool:
    """Promote the PRM if its F1 beats the champion's on the same evaluation set; say whether.

    A champion that was evaluated on other items cannot be compared and stays.
    """
    # Two trainings may finish at once: the project's row decides who challenges first.
    Project.objects.select_for_update().get(pk=prm.project_id)
    champion = PRM.objects.filter(project=prm.project_id, champion=True).first()
    mine = f1_of(prm)
    if mine is None:
        return False
    if champion is not None:
        theirs = f1_of(champion)
        same_items = champion.training_run.config.get(
            "evaluation_set"
        ) == prm.training_run.config.get("evaluation_set")
        if not same_items or (theirs is not None and mine <= theirs):
            return False
    promote(by=by, prm=prm, now=now)
    return True


@transaction.atomic
def promote(*, by: User, prm: PRM, now: datetime) -> None:
    """Make the PRM the project's champion; the earlier one is kept for rollback."""
    Project.objects.select_for_update().get(pk=prm.project_id)
    PRM.objects.filter(project=prm.project_id, champion=True).update(champion=False)
    PRM.objects.filter(pk=prm.pk).update(champion=True, promoted_at=now, promoted_by=by)
    events.record(by=by, action="PRM promoted", project=prm.project, subject=prm.uid, f1=f1_of(prm))


def unattended(*, now: datetime) -> list[TrainingRun]:
    """Return the trainings that wait or whose lease ran out."""
    return list(
        TrainingRun.objects.filter(
            Q(state=TrainingState.WAITING)
            | Q(state__in=[TrainingState.TRAINING, TrainingState.EVALUATING], lease_until__lte=now)
        )
    )


def f1_of(prm: PRM) -> float | None:
    """Return the PRM's first-error F1 at the fixed threshold 0.5 (0..1), None where undefined."""
    value = prm.metrics.get("f1")
    return float(value) if isinstance(value, int | float) else None
