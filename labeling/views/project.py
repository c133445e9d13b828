"""The project's pages: overview and data."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from labeling.domain.roles import Action
from labeling.models.runs import RunState
from labeling.selectors import boards, pages
from labeling.selectors import overview as numbers
from labeling.selectors import runs as run_reads
from labeling.selectors.run_rows import RunRow
from labeling.selectors.snapshots import under_way
from labeling.views.frame import frame, page
from labeling.views.tables import as_csv, wants_csv

SHOWN_PRMS = 5
"""Models on the overview; the data page has them all."""


@require_GET
@vary_on_headers("HX-Request")
@login_required
def overview(request: HttpRequest, uid: str) -> HttpResponse:
    """Show how far, how good, what runs and what came of it; its running part for htmx."""
    within = frame(request, uid, Action.VIEW)
    alive = run_reads.runs_of(within.project, timezone.now(), alive_only=True)
    running = _running(alive, pages.trainings_under_way(within.project))
    if _fragment(request):
        return page(request, "overview.html#running", within, **running)
    counts = numbers.counts(within.project)
    if wants_csv(request):
        head = ["decision", "solutions"]
        return as_csv(f"decisions {within.project.name}", head, counts.decisions.items())
    covered = numbers.coverage(within.project, counts.solutions)
    truths = numbers.truths(within.project, covered) if within.can(Action.MANAGE) else []
    frozen = pages.snapshots_of(within.project)
    return page(
        request,
        "overview.html",
        within,
        active="overview",
        counts=counts,
        coverage=covered,
        filterable=numbers.filterable(covered),
        decided=counts.decided_with_error + counts.decided_without_error,
        compared=numbers.compared(within.project, covered),
        truths=truths,
        **running,
        prms=pages.prms_of(within.project, limit=SHOWN_PRMS),
        snapshots=frozen,
        exported=next((row for row in frozen if row.frozen_at), None),
        waiting=boards.waiting(within.project),
    )


def _running(alive: list[RunRow], trainings: pages.Trainings) -> dict[str, Any]:
    """Return what the overview's running part shows; it asks again while anything is at work."""
    at_work = any(row.state == RunState.RUNNING for row in alive)
    live = at_work or bool(trainings.at_work or trainings.waiting)
    return {"runs": alive, "trainings": trainings, "live": live}


@require_GET
@vary_on_headers("HX-Request")
@login_required
def data(request: HttpRequest, uid: str) -> HttpResponse:
    """Show snapshots, training runs and reward models; the snapshots alone for htmx."""
    within = frame(request, uid, Action.VIEW)
    snapshots = pages.snapshots_of(within.project)
    return page(
        request,
        "data.html#snapshots" if _fragment(request) else "data.html",
        within,
        active="data",
        snapshots=snapshots,
        under_way=any(under_way(snapshot) for snapshot in snapshots),
        trainings=pages.trainings_of(within.project),
        prms=pages.prms_of(within.project),
        may_export=within.can(Action.EXPORT),
    )


def _fragment(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"
