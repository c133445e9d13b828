"""Celery tasks: each takes an id, makes one call, and maps errors to retry or failed.

A task is a wake-up. It may come twice, late or not at all: what is to be done stands in the
database, and `sweep` rings for whatever stands there unattended.
"""

from __future__ import annotations

import logging

from celery import shared_task
from django.db import OperationalError
from django.utils import timezone

from labeling.domain.refusals import Refusal
from labeling.models import Project, Run, Snapshot
from labeling.models.runs import RunState
from labeling.services import (
    answer_corrections,
    claims,
    decisions,
    idempotency,
    import_jobs,
    judging,
    presence,
    projects,
    retraining,
    rollups,
    runs,
    snapshot_formats,
    snapshots,
    training,
    webhooks,
)
from workers import attendance, correcting, delivering, prm_training, trials
from workers.chunks.work import work_on
from workers.engines.protocol import EngineError

log = logging.getLogger("workers")


@shared_task(name="workers.work")
def work(run_uid: str) -> None:
    """Work on a run until nothing is left to lease, or others wait."""
    by = projects.machine()
    runs_with_all = Run.objects.select_related("labeler__project", "project", "engine")
    run = runs_with_all.filter(uid=run_uid).first()
    if run is None:
        return
    try:
        stored = work_on(run=run, by=by)
    except OperationalError:
        # The database itself is away: no fault of the run, which the sweeper rings for again.
        log.exception("run %s: no database", run.uid)
        return
    except (EngineError, Refusal) as error:
        _stumble(run, str(error), hopeless=not getattr(error, "retry", False))
        return
    except Exception as error:
        log.exception("run %s: a chunk failed", run.uid)
        _stumble(run, f"{type(error).__name__}: {error}")
        return
    if not runs.settle(by=by, run=run, now=timezone.now()) and stored:
        runs.ring(run=run, bells=1)


def _stumble(run: Run, reason: str, *, hopeless: bool = False) -> None:
    log.warning("run %s: %s", run.uid, reason)
    runs.stumbled(
        by=projects.machine(), run=run, reason=reason, now=timezone.now(), hopeless=hopeless
    )


@shared_task(name="workers.freeze")
def freeze(snapshot_uid: str) -> None:
    """Freeze a requested snapshot; one that picks nothing stays unfrozen, with the reason."""
    snapshot = Snapshot.objects.select_related("project").filter(uid=snapshot_uid).first()
    if snapshot is None:
        return
    try:
        by = snapshot.created_by
        frozen = snapshots.freeze(by=by, snapshot=snapshot, now=timezone.now())
        snapshot_formats.write_missing(by=by, snapshot=frozen)
    except snapshots.BeingFrozen:
        log.debug("snapshot %s: another worker is at it", snapshot.uid)
    except OperationalError:
        # The database is away, and the sweeper rings again.
        log.warning("snapshot %s: not now", snapshot.uid, exc_info=True)
    except Refusal as error:
        snapshots.fail(snapshot=snapshot, reason=str(error))
    except OSError as error:  # a full disk, most often; the path is nobody's business
        log.exception("snapshot %s", snapshot.uid)
        snapshots.fail(snapshot=snapshot, reason=error.strerror or type(error).__name__)
    except Exception as error:
        log.exception("snapshot %s", snapshot.uid)
        snapshots.fail(snapshot=snapshot, reason=f"{type(error).__name__}: {error}")


@shared_task(name="workers.train")
def train(training_uid: str) -> None:
    """Train and evaluate a PRM in processes of their own."""
    run = training.claim(uid=training_uid, now=timezone.now())
    if run is not None:
        prm_training.carry_out(by=projects.machine(), run=run)


@shared_task(name="workers.try_judge")
def try_judge(trial_uid: str) -> None:
    """Carry out a judge's dry run."""
    trials.carry_out(by=projects.machine(), uid=trial_uid)


@shared_task(name="workers.bring_in")
def bring_in(import_uid: str) -> None:
    """Import an uploaded file, or count what its import would do."""
    job = import_jobs.claim(uid=import_uid, now=timezone.now())
    if job is not None:
        import_jobs.carry_out(by=job.created_by, job=job)


@shared_task(name="workers.decide")
def decide(project_pk: int) -> None:
    """Make the decisions again that an older policy made."""
    project = Project.objects.filter(pk=project_pk).first()
    if project is not None:
        decisions.catch_up(by=projects.machine(), project=project)


@shared_task(name="workers.correct")
def correct(correction_uid: str) -> None:
    """Grade for, count or carry out a correction of a reference answer."""
    correcting.carry_out(by=projects.machine(), uid=correction_uid)


@shared_task(name="workers.sweep")
def sweep() -> None:
    """Return expired leases and ring for all work that nobody attends to."""
    now = timezone.now()
    claims.sweep(now=now)
    for run in Run.objects.filter(state=RunState.RUNNING):
        runs.attend(by=projects.machine(), run=run, now=now)
    for waiting in training.unattended(now=now):
        training.ring(run=waiting)
    judging.attend(by=projects.machine(), now=now)
    import_jobs.attend(by=projects.machine(), now=now)
    snapshots.attend(now=now)
    snapshot_formats.attend()
    decisions.attend()
    answer_corrections.attend()
    idempotency.forget(now=now)
    webhooks.attend(now=now)


@shared_task(name="workers.deliver")
def deliver() -> None:
    """Send what webhooks are to be told, beside the schedule: a slow receiver delays nothing."""
    delivering.begin()


@shared_task(name="workers.fold")
def fold() -> None:
    """Bring the counts behind the dashboards up to date."""
    rollups.fold_all()


@shared_task(name="workers.census")
def census() -> None:
    """Count who serves which queue; the one that counts serves the default queue itself."""
    served = {"default": 1} | attendance.served()
    presence.record(queues=served, now=timezone.now())


@shared_task(name="workers.retrain_where_due")
def retrain_where_due() -> None:
    """Freeze and train wherever a project's policy asks for it."""
    for project in Project.objects.order_by("pk"):
        try:
            retraining.request_if_due(by=projects.machine(), project=project, now=timezone.now())
        except Refusal as error:
            log.warning("retraining of %s: %s", project.uid, error)
