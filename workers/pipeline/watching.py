"""Wait for runs and trainings that workers carry out, showing how far they are."""

from __future__ import annotations

import time
from collections.abc import Sequence

from django.utils import timezone

from labeling.models import Claim, Run, Sampling, TrainingRun
from labeling.models.rewards import TrainingState
from labeling.models.runs import RunKind, RunState
from labeling.services import claims, runs, training
from workers.pipeline.context import Context, StageFailed
from workers.pipeline.progress import Bar

POLL_SECONDS = 0.3

RING_EVERY = 5.0
"""Seconds without a lease after which the bell is rung again."""

LONELY_AFTER = 20.0
"""Seconds without a lease or progress after which the terminal says that no worker listens."""


def wait_for_runs(context: Context, *started: Run) -> None:
    """Return when all runs are done; raise StageFailed with the reason of one that failed."""
    titles = [f"{run.get_kind_display()}" for run in started]
    with context.terminal.bars(*titles) as bars:
        waiting = [_Watched(run, bar) for run, bar in zip(started, bars, strict=True)]
        while waiting := [watched for watched in waiting if not watched.finished(context)]:
            context.on_wait()
            time.sleep(POLL_SECONDS)
    for run in started:
        run.refresh_from_db()
        if run.state != RunState.DONE:
            raise StageFailed(f"the {run.kind} run is {run.state}: {run.reason or 'no reason'}")


class _Watched:
    def __init__(self, run: Run, bar: Bar) -> None:
        self.run, self.bar = run, bar
        self.total = _total(run)
        self.rung = self.lively = time.monotonic()

    def finished(self, context: Context) -> bool:
        self.run.refresh_from_db(fields=["state", "reason", "seconds"])
        left = claims.pending(run=self.run)
        self.bar.show(self.total - left, self.total, self._note())
        if self.run.state == RunState.RUNNING and left == 0:
            runs.settle(by=context.by, run=self.run, now=timezone.now())
            self.run.refresh_from_db()
        return self.run.state != RunState.RUNNING

    def _note(self) -> str:
        now = time.monotonic()
        if Claim.objects.filter(run=self.run, expires_at__gt=timezone.now()).exists():
            self.lively = now
        elif now - max(self.lively, self.rung) > RING_EVERY:
            runs.ring(run=self.run)
            self.rung = now
        if now - self.lively > LONELY_AFTER:
            return f"no worker serves queue {self.run.kind} since {now - self.lively:.0f} s"
        return self.run.reason[:60]


def _total(run: Run) -> int:
    if run.kind != RunKind.GENERATE:
        return run.project.solutions.count()
    sampled = Sampling.objects.filter(
        problem__project=run.project_id, config_hash=run.config_hash
    ).count()
    return sampled + claims.pending(run=run)


def wait_for_trainings(context: Context, asked: Sequence[TrainingRun]) -> list[TrainingRun]:
    """Return the trainings once all are done; failed ones are said and left out."""
    ids = [run.pk for run in asked]
    with context.terminal.bars("training steps") as (bar,):
        while True:
            rows = list(TrainingRun.objects.filter(pk__in=ids).select_related("prm").order_by("pk"))
            ended = [r for r in rows if r.state in {TrainingState.DONE, TrainingState.FAILED}]
            done = sum(_steps(row) if row in ended else _steps_done(row) for row in rows)
            bar.show(done, sum(map(_steps, rows)), _now_at(rows))
            if len(ended) == len(rows):
                break
            context.on_wait()
            time.sleep(POLL_SECONDS * 2)
            for waiting in training.unattended(now=timezone.now()):
                if time.monotonic() % RING_EVERY < POLL_SECONDS * 2:
                    training.ring(run=waiting)
    for row in rows:
        if row.state == TrainingState.FAILED:
            context.terminal.warn(f"{row.name} failed: {row.reason}")
    return [row for row in rows if row.state == TrainingState.DONE]


def _steps(row: TrainingRun) -> int:
    return int(row.config["iterations"])


def _steps_done(row: TrainingRun) -> int:
    return min(int(row.progress.get("step") or 0), _steps(row) - 1)


def _now_at(rows: Sequence[TrainingRun]) -> str:
    names = [row.name for row in rows if row.state in {"training", "evaluating"}]
    return ", ".join(names)
