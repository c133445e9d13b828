"""Start, steer and settle runs of machine labelers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from labeling import dispatch
from labeling.domain.hashing import config_hash
from labeling.domain.labels import VerdictState
from labeling.domain.refusals import Refusal
from labeling.models import Labeler, Project, Run, User, Verdict
from labeling.models.runs import RunKind, RunState
from labeling.services import claims, events

BELLS = 2
"""Wake-ups rung at a run's start: the chunks under way at once on an embedded machine."""

GIVE_UP_AFTER = 5
"""Consecutive failures of the engine after which a run stops and says why."""

_MOVES: dict[str, tuple[frozenset[str], RunState]] = {
    "paused": (frozenset({RunState.RUNNING}), RunState.PAUSED),
    "resumed": (frozenset({RunState.PAUSED, RunState.FAILED}), RunState.RUNNING),
    "cancelled": (
        frozenset({RunState.RUNNING, RunState.PAUSED, RunState.FAILED}),
        RunState.CANCELLED,
    ),
}


class WrongState(Refusal):
    """The run's state does not allow the move."""

    code = "wrong_state"


@transaction.atomic
def start(
    *,
    by: User,
    project: Project,
    kind: RunKind,
    config: Mapping[str, Any],
    labeler: Labeler | None = None,
) -> Run:
    """Start a run, or return the one alive with the same configuration (rung again)."""
    run, made = Run.objects.get_or_create(
        project=project,
        kind=kind,
        config_hash=config_hash(config),
        state__in=[RunState.RUNNING, RunState.PAUSED],
        defaults={
            "config": dict(config),
            "labeler": labeler,
            "created_by": by,
            "state": RunState.RUNNING,
        },
    )
    if made:
        events.record(by=by, action="run started", project=project, subject=run.uid, kind=kind)
    ring(run=run)
    return run


def ring(*, run: Run, bells: int = BELLS) -> None:
    """Wake workers for the run."""
    for _ in range(bells):
        dispatch.ring("workers.work", run.uid, queue=run.kind)


def pause(*, by: User, run: Run) -> Run:
    """Stop handing out work; chunks under way are finished and kept."""
    return _move(by=by, run=run, word="paused")


def resume(*, by: User, run: Run) -> Run:
    """Go on with a paused or failed run."""
    return _move(by=by, run=run, word="resumed")


def cancel(*, by: User, run: Run) -> Run:
    """End the run; its verdicts stay."""
    return _move(by=by, run=run, word="cancelled")


@transaction.atomic
def retry_unscored(*, by: User, run: Run) -> int:
    """Forget the run's unscored verdicts, so that they are asked for again."""
    if run.labeler is None:
        raise WrongState("a generation run has no verdicts to retry")
    count, _ = Verdict.objects.filter(labeler=run.labeler, state=VerdictState.UNSCORED).delete()
    events.record(
        by=by, action="unscored retried", project=run.project, subject=run.uid, count=count
    )
    Run.objects.filter(pk=run.pk, state=RunState.DONE).update(
        state=RunState.RUNNING, finished_at=None
    )
    ring(run=run)
    return count


@transaction.atomic
def progressed(*, run: Run, seconds: float, now: datetime) -> None:
    """Note that a chunk was labeled, in `seconds` of a worker's time."""
    Run.objects.filter(pk=run.pk).update(
        seconds=F("seconds") + seconds, last_progress_at=now, failures=0, reason=""
    )


@transaction.atomic
def stumbled(*, by: User, run: Run, reason: str, now: datetime) -> bool:
    """Note that the engine failed; after GIVE_UP_AFTER in a row fail the run and return True."""
    run = Run.objects.select_for_update().get(pk=run.pk)
    if run.state != RunState.RUNNING:
        return True
    run.failures += 1
    run.reason = reason[:2000]
    gave_up = run.failures >= GIVE_UP_AFTER
    if gave_up:
        run.state, run.finished_at = RunState.FAILED, now
        events.record(
            by=by, action="run failed", project=run.project, subject=run.uid, reason=run.reason
        )
    run.save(update_fields=["failures", "reason", "state", "finished_at"])
    return gave_up


@transaction.atomic
def settle(*, by: User, run: Run, now: datetime) -> bool:
    """Mark the run done when nothing of it is left; say whether it is."""
    run = Run.objects.select_for_update().get(pk=run.pk)
    if run.state != RunState.RUNNING or claims.pending(run=run):
        return run.state == RunState.DONE
    run.state, run.finished_at = RunState.DONE, now
    run.save(update_fields=["state", "finished_at"])
    events.record(by=by, action="run done", project=run.project, subject=run.uid)
    return True


@transaction.atomic
def _move(*, by: User, run: Run, word: str) -> Run:
    sources, target = _MOVES[word]
    run = Run.objects.select_for_update().get(pk=run.pk)
    if run.state not in sources:
        raise WrongState(f"a run that is {run.state} cannot be {word}")
    run.state, run.failures = target, 0
    if target is RunState.RUNNING:
        run.reason, run.finished_at = "", None
    run.save(update_fields=["state", "failures", "reason", "finished_at"])
    events.record(by=by, action=f"run {word}", project=run.project, subject=run.uid)
    if target is RunState.RUNNING:
        ring(run=run)
    return run
