"""Start or resume the runs that a stage needs, and wait for them."""

from __future__ import annotations

from collections.abc import Sequence

from labeling.domain.run_settings import RunSettings, ScoreSettings
from labeling.models import Engine, Run
from labeling.models.runs import RunState
from labeling.services import claims, engines, requests, runs
from workers.pipeline.context import Context
from workers.pipeline.watching import wait_for_runs


def start_or_resume(context: Context, settings: RunSettings) -> Run:
    """Return the run with these settings, under way unless nothing of it is left to do."""
    latest = (
        Run.objects.filter(project=context.project, kind=settings.kind, config=settings.config())
        .order_by("-id")
        .first()
    )
    if latest is not None and latest.state in {RunState.PAUSED, RunState.FAILED}:
        return runs.resume(by=context.by, run=latest)
    if (
        latest is not None
        and latest.state == RunState.DONE
        and not claims.is_anything_left(run=latest)
    ):
        context.terminal.say(f"  {settings.kind}: nothing left to do")
        return latest
    engine = None if isinstance(settings, ScoreSettings) else _engine(context)
    return requests.request(
        by=context.by, project=context.project, engine=engine, settings=settings
    )


def carry_out(context: Context, asked: Sequence[Run]) -> None:
    """Wait for the runs that are under way."""
    started = [run for run in asked if run.state != RunState.DONE]
    if started:
        wait_for_runs(context, *started)


def _engine(context: Context) -> Engine:
    """Return the job's engine, kept in the table of engines."""
    models = context.models
    return engines.save(
        by=context.by,
        name=models.engine,
        kind=str(models.kind),
        model=models.model,
        options=models.options,
    )
