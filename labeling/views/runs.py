"""Runs of machine labelers: the list, one run, steering it, and asking for new ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from labeling.domain.refusals import Invalid, Refusal
from labeling.domain.roles import Action
from labeling.selectors import runs as reads
from labeling.selectors.run_choices import engines as all_engines
from labeling.selectors.run_words import settings_of
from labeling.services import requests
from labeling.services import runs as service
from labeling.views import new_runs
from labeling.views.frame import frame, page

_MOVES: dict[str, Callable[..., Any]] = {
    "pause": service.pause,
    "resume": service.resume,
    "cancel": service.cancel,
    "retry": service.retry_unscored,
}


@require_GET
@vary_on_headers("HX-Request")
@login_required
def runs(request: HttpRequest, uid: str) -> HttpResponse:
    """Show all runs; their table for htmx."""
    within = frame(request, uid, Action.VIEW)
    rows = reads.runs_of(within.project, timezone.now())
    template = "runs.html#table" if _fragment(request) else "runs.html"
    alive = any(row.alive for row in rows)
    return page(request, template, within, active="runs", runs=rows, alive=alive)


@require_GET
@vary_on_headers("HX-Request")
@login_required
def run(request: HttpRequest, uid: str, run: str) -> HttpResponse:
    """Show one run; its moving part for htmx."""
    within = frame(request, uid, Action.VIEW)
    found = reads.run_for(within.project, run)
    (row,) = reads.rows_of(within.project, [found], timezone.now())
    context: dict[str, Any] = {"run": row, "failures": reads.failures_of(found), "active": "runs"}
    if _fragment(request):
        return page(request, "run.html#live", within, **context)
    context |= {"settings": settings_of(found), "history": reads.history_of(found)}
    return page(request, "run.html", within, **context)


@require_POST
@login_required
def move_run(request: HttpRequest, uid: str, run: str, move: str) -> HttpResponse:
    """Pause, resume, cancel a run or retry what it could not score: all, or what failed like one
    solution (a reason sent by a browser would come back with other line ends)."""
    within = frame(request, uid, Action.MANAGE)
    if move not in _MOVES:
        raise Invalid("a run cannot be asked to {move}", move=move)
    found = reads.run_for(within.project, run)
    only = {}
    if move == "retry" and "like" in request.POST:
        only = {"reason": reads.reason_of(found, request.POST["like"])}
    _MOVES[move](by=within.user, run=found, **only)
    if request.POST.get("back") == "list":
        return redirect("runs", uid)
    return redirect("run", uid, run)


@require_GET
@login_required
def engines(request: HttpRequest, uid: str) -> HttpResponse:
    """Show the engines and their prices."""
    within = frame(request, uid, Action.MANAGE)
    return page(request, "engines.html", within, active="runs", engines=all_engines())


@require_GET
@vary_on_headers("HX-Request")
@login_required
def new_run(request: HttpRequest, uid: str) -> HttpResponse:
    """Show the form of a new run with what it would cost; the cost alone for htmx."""
    within = frame(request, uid, Action.MANAGE)
    form = new_runs.form_of(within.project, request.GET)
    cost = new_runs.estimated(within.project, form)
    template = "run_new.html#estimate" if _fragment(request) else "run_new.html"
    return page(
        request, template, within, active="runs", form=form, cost=cost, kinds=new_runs.KINDS
    )


@require_POST
@login_required
def start_run(request: HttpRequest, uid: str) -> HttpResponse:
    """Start the runs that the form asks for."""
    within = frame(request, uid, Action.MANAGE)
    form, status = new_runs.form_of(within.project, request.POST), 400
    try:
        if asked := form.asked():
            started = requests.request_each(by=within.user, project=within.project, asked=asked)
            if len(started) == 1:
                return redirect("run", uid, started[0].uid)
            words = gettext("{count} runs are under way.")
            messages.success(request, words.format(count=len(started)))
            return redirect("runs", uid)
    except Refusal as error:
        form.refuse(error)
        status = error.status
    context = {"active": "runs", "form": form, "cost": None, "kinds": new_runs.KINDS}
    return page(request, "run_new.html", within, status=status, **context)


def _fragment(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"
