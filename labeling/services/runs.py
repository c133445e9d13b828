"""Start, steer and settle runs of machine labelers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from labeling import dispatch
from labeling.domain.hashing import config_hash
from labeling.domain.labels import VerdictState
from labeling.domain.phrases import Phrase
from labeling.domain.refusals import Refusal
from labeling.models import Claim, Engine, Labeler, Project, QueuePresence, Run, User, Verdict
from labeling.models.runs import RunKind, RunState
from labeling.selectors.judge_trials import a_trial_waits
from labeling.services import claims, events

BELLS = 2
"""Wake-ups rung at a run's start: the workers of a small machine. The sweeper rings for more."""

BELL_LASTS = 60.0
"""Seconds after which a bell that no worker heard is dropped: the sweeper rings again."""

PRESENT = timedelta(seconds=60)
"""Workers that were counted within this time are taken to be there."""

GIVE_UP_AFTER = 12
"""Failures of the engine in a row after which a run stops and says why: about 45 minutes."""

REST = timedelta(seconds=5)
LONGEST_REST = timedelta(minutes=5)
"""After its first failure a run rests for REST, then for twice as long each time, up to this."""

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
    engine: Engine | None = None,
) -> Run:
    """Start a run, or return the one alive with the same configuration (rung again).

    The one alive goes on with `engine`: where a model runs may change at any time.
    """
    run, made = Run.objects.get_or_create(
        project=project,
        kind=kind,
        config_hash=config_hash(config),
        state__in=[RunState.RUNNING, RunState.PAUSED],
        defaults={
            "config": dict(config),
            "labeler": labeler,
            "engine": engine,
            "created_by": by,
            "state": RunState.RUNNING,
        },
    )
    if made:
        events.record(by=by, action="run started", project=project, subject=run.uid, kind=kind)
    elif engine is not None and run.engine_id != engine.pk:
        run.engine = engine
        run.save(update_fields=["engine"])
        events.record(
            by=by, action="run moved", project=project, subject=run.uid, engine=engine.name
        )
    ring(run=run)
    return run


def ring(*, run: Run, bells: int = BELLS) -> None:
    """Wake workers for the run."""
    for _ in range(bells):
        dispatch.ring("workers.work", run.uid, queue=run.kind, expires=BELL_LASTS)


def attend(*, by: User, run: Run, now: datetime) -> None:
    """Settle a running run, or ring for each worker of its queue that does not work on it.

    Workers that came later, or whose bell was lost with the broker, are found so. A bell too many
    finds nothing to lease.
    """
    live = Claim.objects.filter(run=run, expires_at__gt=now)
    busy = live.values("token").distinct().count()
    if (run.retry_at and run.retry_at > now) or (not busy and settle(by=by, run=run, now=now)):
        return
    present = QueuePresence.objects.filter(queue=run.kind, seen_at__gt=now - PRESENT)
    idle = sum(present.values_list("workers", flat=True)) - busy
    ring(run=run, bells=max(idle, 0 if busy else 1))


def others_wait(*, run: Run, now: datetime) -> bool:
    """Say whether another running run, or a judge's trial, has no worker although its queue is
    served."""
    served = QueuePresence.objects.filter(seen_at__gt=now - PRESENT).values("queue")
    if served.filter(queue=RunKind.JUDGE).exists() and a_trial_waits():
        return True
    waiting = Run.objects.filter(state=RunState.RUNNING, kind__in=served).exclude(
        Q(pk=run.pk) | Q(retry_at__gt=now) | Q(claims__expires_at__gt=now)
    )
    return waiting.exists()


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
def retry_unscored(*, by: User, run: Run, reason: str = "") -> int:
    """Forget the run's unscored verdicts, or those with this reason, so that they are asked again.

    A run that is done goes on, unless a later one with its configuration is alive and does it.
    """
    if run.labeler is None:
        raise WrongState("a generation run has no verdicts to retry")
    run = Run.objects.select_for_update().get(pk=run.pk)
    if run.state in {RunState.CANCELLED, RunState.FAILED}:
        raise WrongState("a run that is {state} cannot be retried", state=Phrase(run.state))
    unscored = Verdict.objects.filter(labeler=run.labeler_id, state=VerdictState.UNSCORED)
    count, _ = (unscored.filter(reason=reason) if reason else unscored).delete()
    events.record(
        by=by, action="unscored retried", project=run.project, subject=run.uid, count=count
    )
    same = Run.objects.filter(project=run.project_id, kind=run.kind, config_hash=run.config_hash)
    alive = same.filter(state__in=[RunState.RUNNING, RunState.PAUSED]).first()
    if alive is None and count:
        same.filter(pk=run.pk).update(state=RunState.RUNNING, finished_at=None)
    ring(run=alive or run)
    return count


@transaction.atomic
def progressed(*, run: Run, seconds: float, now: datetime) -> None:
    """Note that a chunk was labeled, in `seconds` of a worker's time.

    Workers that label at the same moment count once: the hour that has a price is the machine's.
    """
    # Workers of one run come here at the same moment; the row's lock orders what each adds.
    last = Run.objects.select_for_update().get(pk=run.pk).last_progress_at
    alone = seconds if last is None else max(0.0, (now - last).total_seconds())
    Run.objects.filter(pk=run.pk).update(
        seconds=F("seconds") + min(seconds, alone),
        last_progress_at=now,
        failures=0,
        reason="",
        retry_at=None,
    )


@transaction.atomic
def stumbled(*, by: User, run: Run, reason: str, now: datetime, hopeless: bool = False) -> None:
    """Note that the engine failed and let the run rest; fail it after GIVE_UP_AFTER in a row.

    A `hopeless` failure, which only a person can mend, fails the run at once. Workers that fail
    together count once: the first one's rest holds for all.
    """
    run = Run.objects.select_for_update().get(pk=run.pk)
    resting = run.retry_at is not None and run.retry_at > now
    if run.state != RunState.RUNNING or (resting and not hopeless):
        return
    run.failures += 1
    run.reason = reason[:2000]
    run.retry_at = now + min(LONGEST_REST, REST * 2 ** (run.failures - 1))
    if hopeless or run.failures >= GIVE_UP_AFTER:
        run.state, run.finished_at, run.retry_at = RunState.FAILED, now, None
        events.record(
            by=by, action="run failed", project=run.project, subject=run.uid, reason=run.reason
        )
    run.save(update_fields=["failures", "reason", "retry_at", "state", "finished_at"])


@transaction.atomic
def settle(*, by: User, run: Run, now: datetime) -> bool:
    """Mark the run done when nothing of it is left; say whether it is."""
    run = Run.objects.select_for_update().get(pk=run.pk)
    if run.state != RunState.RUNNING or claims.is_anything_left(run=run):
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
        raise WrongState(
            "a run that is {state} cannot be {word}", state=Phrase(run.state), word=Phrase(word)
        )
    run.state, run.failures, run.retry_at = target, 0, None
    if target is RunState.RUNNING:
        run.reason, run.finished_at = "", None
    run.save(update_fields=["state", "failures", "reason", "retry_at", "finished_at"])
    events.record(by=by, action=f"run {word}", project=run.project, subject=run.uid)
    if target is RunState.RUNNING:
        ring(run=run)
    return run
