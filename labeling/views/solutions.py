"""The list of solutions, one solution with its evidence, and adjudicating it."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from labeling.domain.refusals import Invalid
from labeling.domain.roles import Action
from labeling.forms import AdjudicateForm, SolutionFilterForm, errors_in_words
from labeling.selectors import solutions as reads
from labeling.selectors.evidence import evidence
from labeling.selectors.filters import Filters
from labeling.services import adjudications
from labeling.views.frame import frame, page


@require_GET
@login_required
def solutions(request: HttpRequest, uid: str) -> HttpResponse:
    """List the project's solutions; filters and position stand in the address."""
    within = frame(request, uid, Action.VIEW)
    form = SolutionFilterForm(request.GET)
    filters = form.values()
    shown = reads.listed(
        within.project,
        within.user,
        Filters(**filters),
        after=request.GET.get("after"),
        before=request.GET.get("before"),
    )
    return page(
        request,
        "solutions.html",
        within,
        active="solutions",
        form=form,
        filters=filters,
        query=urlencode(filters),
        shown=shown,
    )


@require_GET
@login_required
def solution(request: HttpRequest, uid: str, solution: str) -> HttpResponse:
    """Show one solution with everything that the user may see of it."""
    within = frame(request, uid, Action.VIEW)
    found = reads.solution_for(within.project, solution)
    kinds = reads.kinds_for(within.user, within.role, found)
    return page(
        request,
        "solution.html",
        within,
        active="solutions",
        solution=found,
        decided=reads.outcome_of(found),
        evidence=evidence(found, kinds),
        hidden=not kinds,
        may_adjudicate=within.can(Action.ADJUDICATE) and bool(kinds),
        key=uuid4(),
    )


@require_POST
@login_required
def adjudicate(request: HttpRequest, uid: str, solution: str) -> HttpResponse:
    """Decide a solution's first error, or discard the solution."""
    within = frame(request, uid, Action.ADJUDICATE)
    found = reads.solution_for(within.project, solution)
    form = AdjudicateForm(request.POST)
    if not form.is_valid():
        raise Invalid(errors_in_words(form))
    given = form.cleaned_data
    common = {"by": within.user, "solution": found, "key": given["key"], "reason": given["reason"]}
    if "discard" in request.POST:
        adjudications.discard(**common)
        messages.success(request, gettext("The solution is discarded."))
    elif given["first_error"] is None:
        raise Invalid("choose the first wrong step, or that there is none")
    else:
        adjudications.submit(first_error=given["first_error"], **common)
        messages.success(request, gettext("The solution is adjudicated."))
    return redirect("solution", uid, solution)
