"""Start or resume the runs that a stage needs, and wait for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from labeling.models import Labeler, Run
from labeling.models.runs import RunKind, RunState
from labeling.services import claims, runs
from workers.pipeline.context import Context
from workers.pipeline.watching import wait_for_runs


def start_or_resume(
    context: Context, kind: RunKind, config: dict[str, Any], labeler: Labeler | None
) -> Run | None:
    """Return the run with this configuration under way; None when nothing of it is left to do."""
    latest = (
        Run.objects.filter(project=context.project, kind=kind, config=config)
        .order_by("-id")
        .first()
    )
    if latest is not None and latest.state in {RunState.PAUSED, RunState.FAILED}:
        return runs.resume(by=context.by, run=latest)
    if latest is not None and latest.state == RunState.DONE and not claims.pending(run=latest):
        context.terminal.say(f"  {kind}: nothing left to do")
        return None
    return runs.start(
        by=context.by, project=context.project, kind=kind, config=config, labeler=labeler
    )


def carry_out(context: Context, asked: Sequence[Run | None]) -> None:
    """Wait for the runs that are under way."""
    started = [run for run in asked if run is not None]
    if started:
        wait_for_runs(context, *started)
