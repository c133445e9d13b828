"""The adjudicators' queue, one solution to decide, and taking a decision back."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from labeling.domain.assignments import RejectReason
from labeling.domain.refusals import Invalid, Refusal
from labeling.domain.roles import Action
from labeling.forms import AdjudicateForm, CorrectAnswerForm, DisputeFilterForm, errors_in_words
from labeling.language import said
from labeling.models import Solution, User
from labeling.selectors import adjudication as disputes
from labeling.selectors import answer_corrections as corrections
from labeling.selectors import solutions as reads
from labeling.selectors.adjudication import Wanted
from labeling.selectors.evidence import evidence
from labeling.services import adjudication_leases, adjudications
from labeling.views.annotate import REPORT_REASONS
from labeling.views.frame import Frame, frame, page
from labeling.views.gold import beside_solution


@require_GET
@never_cache
@login_required
def queue(request: HttpRequest, uid: str) -> HttpResponse:
    """List what waits for an adjudicator; the filters stand in the address."""
    within = frame(request, uid, Action.ADJUDICATE)
    form = DisputeFilterForm(request.GET)
    filters = form.values()
    now = timezone.now()
    return page(
        request,
        "adjudication/queue.html",
        within,
        active="adjudication",
        form=form,
        filters=filters,
        query=urlencode(filters),
        queue=disputes.queue(within.project, within.user, Wanted(**filters), now),
    )


@require_GET
@never_cache
@login_required
def following(request: HttpRequest, uid: str) -> HttpResponse:
    """Lease the next solution and go to it; to the queue where none is left.

    Leasing on GET is safe to repeat: the same one comes until it is decided, or passed (`after`).
    """
    within = frame(request, uid, Action.ADJUDICATE)
    filters = DisputeFilterForm(request.GET).values()
    leased = adjudication_leases.lease_next(
        by=within.user,
        project=within.project,
        wanted=Wanted(**filters),
        now=timezone.now(),
        after=request.GET.get("after", ""),
    )
    if leased is None:
        messages.info(request, gettext("Nothing else waits for you here."))
        return redirect(_with(reverse("adjudication", args=[uid]), filters))
    return redirect(_with(reverse("solution", args=[uid, leased.uid]), filters))


@require_POST
@login_required
def adjudicate(request: HttpRequest, uid: str, solution: str) -> HttpResponse:
    """Decide a solution's first error, or discard it; what is refused is said beside the form."""
    within = frame(request, uid, Action.ADJUDICATE)
    found = reads.solution_for(within.project, solution)
    form = AdjudicateForm(request.POST)
    try:
        _conclude(within.user, found, form, discards="discard" in request.POST)
    except Refusal as refusal:
        return solution_page(request, within, found, form=form, refusal=refusal)
    if "discard" in request.POST:
        messages.success(request, gettext("The solution is discarded."))
    else:
        messages.success(request, gettext("The solution is adjudicated."))
    return redirect(_back_to(request, uid, solution))


@require_POST
@login_required
def reopen(request: HttpRequest, uid: str, solution: str) -> HttpResponse:
    """Take back one's own verdict; who manages takes back anybody's."""
    within = frame(request, uid, Action.ADJUDICATE)
    found = reads.solution_for(within.project, solution)
    try:
        adjudications.reopen(by=within.user, solution=found, anybodys=within.can(Action.MANAGE))
    except Refusal as refusal:
        return solution_page(request, within, found, refusal=refusal)
    messages.success(request, gettext("The verdict is taken back: the solution is open again."))
    return redirect(_back_to(request, uid, solution))


@require_POST
@login_required
def hold(request: HttpRequest, uid: str, solution: str) -> HttpResponse:
    """Keep others away from the solution for some minutes, or (`release`) let them have it."""
    within = frame(request, uid, Action.ADJUDICATE)
    found = reads.solution_for(within.project, solution)
    if "release" in request.POST:
        adjudication_leases.release(by=within.user, solution=found)
        return JsonResponse({"held_by": None})
    other = adjudication_leases.hold(by=within.user, solution=found, now=timezone.now())
    return JsonResponse({"held_by": other})


def solution_page(
    request: HttpRequest,
    within: Frame,
    solution: Solution,
    *,
    form: AdjudicateForm | None = None,
    refusal: Refusal | None = None,
    corrected: CorrectAnswerForm | None = None,
) -> HttpResponse:
    """Show a solution with all that the user may see of it, and what was typed and refused."""
    kinds = reads.kinds_for(within.user, within.role, solution)
    deciding = within.can(Action.ADJUDICATE) and bool(kinds)
    solution = reads.solution_for(within.project, solution.uid)  # what has changed meanwhile
    shown = evidence(solution, kinds)
    context: dict[str, Any] = {
        "solution": solution,
        "decided": reads.outcome_of(solution),
        "evidence": shown,
        "completions_at": reverse("completions", args=[within.project.uid, solution.uid]),
        "hidden": not kinds,
        "may_adjudicate": deciding,
        "error": said(refusal) if refusal else "",
        **(beside_solution(within, solution) if kinds else {}),
        "corrections": corrections.history_of(solution.problem),
    }
    if deciding:
        seen = disputes.seen(solution)
        before = form.data.get("seen", "") if form else ""
        context |= _deciding(request, within, solution, form)
        context |= {
            "seen": seen,
            "corrected": corrected.data if corrected else None,
            "fresh": disputes.unseen(before, seen, shown.voices) if before else frozenset(),
        }
    status = refusal.status if refusal else 200
    return page(request, "solution.html", within, status=status, active="solutions", **context)


def _deciding(
    request: HttpRequest, within: Frame, solution: Solution, form: AdjudicateForm | None
) -> dict[str, Any]:
    filters = DisputeFilterForm(request.GET).values()
    now = timezone.now()
    standing = disputes.standing(solution)
    mine = standing is not None and standing.user_id == within.user.pk
    return {
        "key": uuid4(),
        "typed": form.data if form else {},
        "query": urlencode(filters),
        "waiting": disputes.count(within.project, within.user, Wanted(**filters)),
        "held_by": disputes.held_by_another(solution, within.user, now),
        "standing": standing,
        "may_reopen": standing is not None and (mine or within.can(Action.MANAGE)),
        "reasons": REPORT_REASONS,
        "open_correction": corrections.open_of(solution.problem),
    }


def _conclude(by: User, solution: Solution, form: AdjudicateForm, *, discards: bool) -> None:
    if not form.is_valid():
        raise Invalid(errors_in_words(form))
    given = form.cleaned_data
    common = {
        "by": by, "solution": solution, "key": given["key"], "reason": given["reason"],
        "seen": given["seen"] or None,
    }  # fmt: skip
    if discards:
        adjudications.discard(code=given["code"] or RejectReason.OTHER, **common)
    elif given["first_error"] is None:
        raise Invalid("choose the first wrong step, or that there is none")
    else:
        adjudications.submit(first_error=given["first_error"], **common)


def _back_to(request: HttpRequest, uid: str, solution: str) -> str:
    filters = DisputeFilterForm(request.GET).values()
    return _with(reverse("solution", args=[uid, solution]), filters)


def _with(address: str, filters: dict[str, str]) -> str:
    return f"{address}?{urlencode(filters)}" if filters else address
