"""Runs as pages show them: progress, speed, what failed, and whether anyone serves their queue."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.http import Http404

from labeling.domain.labels import VerdictState
from labeling.models import Problem, Project, Run, Sampling, Solution, Verdict
from labeling.models.runs import RunKind, RunState

WINDOW = timedelta(minutes=2)
"""Speed is measured over the last minutes of work, so that a paused night does not count."""

SILENCE = timedelta(seconds=45)
"""A running run without progress for this long is probably served by no worker."""

REASONS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run. `rate` is items per second; `eta` and `silent_for` are seconds."""

    uid: str
    kind: RunKind
    name: str
    state: RunState
    reason: str
    done: int
    total: int
    unscored: int
    failures: tuple[tuple[str, int], ...]
    rate: float | None
    eta: float | None
    silent_for: float | None
    seconds: float
    tokens: int
    created_at: datetime
    last_progress_at: datetime | None

    @property
    def percent(self) -> int:
        """Share done, 0 to 100; 100 only when everything is done."""
        return 100 * self.done // self.total if self.total else 0

    @property
    def alive(self) -> bool:
        """Whether the run works or waits to work."""
        return self.state in (RunState.RUNNING, RunState.PAUSED)

    @property
    def can_pause(self) -> bool:
        """Whether `pause` would be accepted."""
        return self.state is RunState.RUNNING

    @property
    def can_resume(self) -> bool:
        """Whether `resume` would be accepted."""
        return self.state in (RunState.PAUSED, RunState.FAILED)

    @property
    def can_cancel(self) -> bool:
        """Whether `cancel` would be accepted."""
        return self.state in (RunState.RUNNING, RunState.PAUSED, RunState.FAILED)


def run_for(project: Project, uid: str) -> Run:
    """Return the project's run or raise Http404."""
    found = Run.objects.filter(project=project, uid=uid).select_related("project").first()
    if found is None:
        raise Http404("no such run")
    return found


def runs_of(project: Project, now: datetime, *, alive_only: bool = False) -> list[RunRow]:
    """Return the project's runs, newest first, in a constant number of queries."""
    query = Run.objects.filter(project=project)
    if alive_only:
        query = query.filter(state__in=[RunState.RUNNING, RunState.PAUSED, RunState.FAILED])
    runs = list(_counted(query).order_by("-id"))
    if not runs:
        return []
    solutions = Solution.objects.filter(project=project).count()
    said = _said(runs)
    failures = _failures(runs)
    return [_row(run, solutions, said, failures, now) for run in runs]


def _counted(query: QuerySet[Run]) -> QuerySet[Any]:
    sampled = Sampling.objects.filter(
        problem__project=OuterRef("project"), config_hash=OuterRef("config_hash")
    ).order_by()
    waiting = Problem.objects.filter(
        ~Exists(
            Sampling.objects.filter(
                problem=OuterRef("pk"), config_hash=OuterRef(OuterRef("config_hash"))
            )
        ),
        project=OuterRef("project"),
    )
    unsolved = waiting.filter(~Exists(Solution.objects.filter(problem=OuterRef("pk"))))
    return query.select_related("labeler").annotate(
        sampled=_number(sampled.values("config_hash").annotate(n=Count("pk")).values("n")),
        sampled_tokens=_number(
            sampled.values("config_hash")
            .annotate(n=Sum(F("prompt_tokens") + F("completion_tokens")))
            .values("n")
        ),
        unusable=_number(sampled.values("config_hash").annotate(n=Sum("unusable")).values("n")),
        sampled_lately=_number(
            sampled.filter(created_at__gt=OuterRef("last_progress_at") - WINDOW)
            .values("config_hash")
            .annotate(n=Count("pk"))
            .values("n")
        ),
        waiting=_number(waiting.order_by().values("project").annotate(n=Count("pk")).values("n")),
        unsolved=_number(unsolved.order_by().values("project").annotate(n=Count("pk")).values("n")),
    )


def _number(query: QuerySet[Any, Any]) -> Subquery:
    return Subquery(query, output_field=IntegerField())


def _said(runs: list[Any]) -> dict[int, dict[str, Any]]:
    """Return per run the counts of its labeler's verdicts."""
    rows = (
        Run.objects.filter(pk__in=[run.pk for run in runs], labeler__isnull=False)
        .values("pk")
        .annotate(
            done=Count("labeler__verdicts"),
            unscored=Count(
                "labeler__verdicts", filter=Q(labeler__verdicts__state=VerdictState.UNSCORED)
            ),
            lately=Count(
                "labeler__verdicts",
                filter=Q(
                    labeler__verdicts__created_at__gt=F("last_progress_at") - WINDOW,
                    labeler__verdicts__created_at__gte=F("created_at"),
                ),
            ),
            tokens=Sum(
                F("labeler__verdicts__prompt_tokens") + F("labeler__verdicts__completion_tokens")
            ),
        )
    )
    return {row["pk"]: dict(row) for row in rows}


def _failures(runs: list[Any]) -> dict[int, list[tuple[str, int]]]:
    """Return per labeler why verdicts are unscored, the most frequent reasons first."""
    rows = (
        Verdict.objects.filter(
            labeler__in=[r.labeler_id for r in runs if r.labeler_id], state=VerdictState.UNSCORED
        )
        .values_list("labeler", "reason")
        .annotate(n=Count("pk"))
        .order_by("-n")
    )
    grouped: defaultdict[int, list[tuple[str, int]]] = defaultdict(list)
    for labeler, reason, n in rows:
        grouped[labeler].append((reason, n))
    return grouped


def _row(
    run: Any,
    solutions: int,
    said: dict[int, dict[str, Any]],
    failures: dict[int, list[tuple[str, int]]],
    now: datetime,
) -> RunRow:
    counts = said.get(run.pk)
    if counts is None:
        done, lately, unscored = run.sampled or 0, run.sampled_lately or 0, 0
        tokens = run.sampled_tokens or 0
        left = run.unsolved if run.config.get("unsolved_only") else run.waiting
        total = done + (left or 0)
    else:
        done, lately = counts["done"], counts["lately"]
        unscored, tokens, total = counts["unscored"], counts["tokens"] or 0, solutions
    running = run.state == RunState.RUNNING and done < total
    silence = _silence(run, now) if running else None
    rate = _rate(run, lately) if running and silence is None else None
    return RunRow(
        uid=run.uid,
        kind=RunKind(run.kind),
        name=run.labeler.name if run.labeler else run.config.get("generator", "") or "solutions",
        state=RunState(run.state),
        reason=run.reason,
        done=done,
        total=total,
        unscored=unscored,
        failures=tuple(failures.get(run.labeler_id or 0, [])[:REASONS_SHOWN]),
        rate=rate,
        eta=(total - done) / rate if rate else None,
        silent_for=silence,
        seconds=run.seconds,
        tokens=tokens,
        created_at=run.created_at,
        last_progress_at=run.last_progress_at,
    )


def _rate(run: Run, lately: int) -> float | None:
    if run.last_progress_at is None or not lately:
        return None
    span = min(WINDOW, run.last_progress_at - run.created_at).total_seconds()
    return lately / span if span > 0 else None


def _silence(run: Run, now: datetime) -> float | None:
    silence = now - (run.last_progress_at or run.created_at)
    return silence.total_seconds() if silence > SILENCE else None
