"""The numbers behind all runs of a page at once, in a constant number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count

from labeling.models import Claim, Labeler, Project, QueuePresence, Run
from labeling.models.runs import RunKind, RunState
from labeling.selectors import run_sums as sums
from labeling.selectors.run_sums import Drawn, Lately, Said, Spent

WINDOW = timedelta(minutes=2)
"""Speed is that of the last minutes."""

ALIVE = (RunState.RUNNING, RunState.PAUSED)


@dataclass(frozen=True, slots=True)
class Numbers:
    """What rows of runs are made of, by labeler, run, configuration, queue or judge's uid."""

    solutions: int
    problems: int
    unsolved: dict[str, int]
    said: dict[int, Said]
    paid: dict[int | None, Spent]
    drawn: dict[str, Drawn]
    verdicts_lately: dict[int, Lately]
    draws_lately: dict[str, Lately]
    leases: dict[int, int]
    presence: dict[str, QueuePresence]
    judges: dict[str, Labeler]


def numbers_of(project: Project, runs: Sequence[Run], now: datetime) -> Numbers:
    """Gather the numbers of these runs of the project."""
    running = [run for run in runs if run.state == RunState.RUNNING]
    judges = _judges(project, runs)
    labelers = _labelers(runs) | {judge.pk for judge in judges.values()}
    said, paid = sums.tallied(labelers)
    hashes, since = _hashes(running), now - WINDOW
    problems, solutions = sums.counted(project)
    return Numbers(
        solutions=solutions,
        problems=problems,
        unsolved=sums.unsolved(project, _picky(runs)),
        said=said,
        paid=paid,
        drawn=sums.drawn_by(project, _hashes(runs)),
        verdicts_lately=sums.verdicts_since(_labelers(running), since),
        draws_lately=sums.draws_since(project, hashes, since),
        leases=_leases(running, now),
        presence={row.queue: row for row in QueuePresence.objects.all()},
        judges=judges,
    )


def _labelers(runs: Iterable[Run]) -> set[int]:
    return {run.labeler_id for run in runs if run.labeler_id}


def _hashes(runs: Iterable[Run]) -> set[str]:
    return {run.config_hash for run in runs if run.kind == RunKind.GENERATE}


def _picky(runs: Iterable[Run]) -> set[str]:
    """Return the configurations of runs alive that solve only unsolved problems."""
    alive = (run for run in runs if run.state in ALIVE)
    return {run.config_hash for run in alive if run.config.get("unsolved_only")}


def _judges(project: Project, runs: Iterable[Run]) -> dict[str, Labeler]:
    """Return the judges that estimation in mode consensus follows."""
    uids = {run.config["judge"] for run in runs if run.config.get("judge")}
    if not uids:
        return {}
    return {row.uid: row for row in Labeler.objects.filter(project=project, uid__in=uids)}


def _leases(running: Sequence[Run], now: datetime) -> dict[int, int]:
    if not running:
        return {}
    live = Claim.objects.filter(run__in=running, expires_at__gt=now)
    return dict(live.values_list("run").annotate(Count("pk")))
