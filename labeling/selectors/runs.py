"""Runs of a project: their rows, and one run with its failures, settings and history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Window
from django.db.models.functions import RowNumber
from django.http import Http404

from labeling.domain.hashing import config_hash
from labeling.domain.labels import VerdictState
from labeling.models import Event, Project, Run, Verdict
from labeling.models.fields import is_uid
from labeling.models.runs import RunKind, RunState
from labeling.selectors.run_numbers import ALIVE, numbers_of
from labeling.selectors.run_rows import RunRow, row_of
from labeling.selectors.run_sums import samplings

LISTED = 200
"""Newest runs that the list shows."""

UNFINISHED = (*ALIVE, RunState.FAILED)
REASONS = 20
EXAMPLES = 3
HISTORY = 20


@dataclass(frozen=True, slots=True)
class Failure:
    """Why results are missing, how often, and solutions as examples (uids; none for problems)."""

    reason: str
    count: int
    examples: tuple[str, ...] = ()


def run_for(project: Project, uid: str) -> Run:
    """Return the project's run or raise Http404."""
    rows = Run.objects.filter(project=project).select_related(*_BESIDE)
    found = rows.filter(uid=uid).first() if is_uid(uid) else None
    if found is None:
        raise Http404("no such run")
    return found


def alive_like(project: Project, kind: str, config: Mapping[str, Any]) -> Run | None:
    """Return the run alive with this configuration, if there is one."""
    return Run.objects.filter(
        project=project, kind=kind, config_hash=config_hash(config), state__in=ALIVE
    ).first()


def runs_of(project: Project, now: datetime, *, alive_only: bool = False) -> list[RunRow]:
    """Return the project's newest runs, in a constant number of queries.

    Those that may still get on come first, then the newest.
    """
    query = Run.objects.filter(project=project).select_related(*_BESIDE)
    if alive_only:
        query = query.filter(state__in=UNFINISHED)
    runs = sorted(query.order_by("-id")[:LISTED], key=lambda run: run.state not in UNFINISHED)
    return rows_of(project, runs, now)


def rows_of(project: Project, runs: list[Run], now: datetime) -> list[RunRow]:
    """Return the rows of these runs of the project, in order."""
    if not runs:
        return []
    numbers = numbers_of(project, runs, now)
    return [row_of(run, numbers, now) for run in runs]


def failures_of(run: Run) -> list[Failure]:
    """Return why results of the run are missing, the most frequent reasons first."""
    if run.kind == RunKind.GENERATE:
        return _fruitless(run)
    unscored = Verdict.objects.filter(labeler=run.labeler, state=VerdictState.UNSCORED)
    counts = list(
        unscored.values_list("reason").annotate(n=Count("pk")).order_by("-n", "reason")[:REASONS]
    )
    if not counts:
        return []
    ranked = unscored.filter(reason__in=[reason for reason, _ in counts]).annotate(
        place=Window(RowNumber(), partition_by=F("reason"), order_by="id")
    )
    examples: defaultdict[str, list[str]] = defaultdict(list)
    for reason, uid in ranked.filter(place__lte=EXAMPLES).values_list("reason", "solution__uid"):
        examples[reason].append(uid)
    return [Failure(reason, count, tuple(examples[reason])) for reason, count in counts]


def reason_of(run: Run, solution_uid: str) -> str:
    """Return why the solution is unscored in the run; raise Http404 where it is not, or no more."""
    if is_uid(solution_uid):
        found = Verdict.objects.filter(
            labeler=run.labeler, state=VerdictState.UNSCORED, solution__uid=solution_uid
        ).first()
        if found is not None:
            return found.reason
    raise Http404("no such failure")


def history_of(run: Run) -> list[Event]:
    """Return what was done to the run, newest first."""
    events = Event.objects.filter(project=run.project, subject=run.uid)
    steered = events.exclude(action__in=["verdicts recorded", "solutions drawn"])
    return list(steered.select_related("actor").order_by("-id")[:HISTORY])


def _fruitless(run: Run) -> list[Failure]:
    rows = samplings(run.project, {run.config_hash}).exclude(reason="")
    counts = rows.values_list("reason").annotate(n=Count("pk")).order_by("-n", "reason")
    return [Failure(reason, count) for reason, count in counts[:REASONS]]


_BESIDE = ("labeler", "engine", "project", "created_by")
