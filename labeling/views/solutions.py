"""The list of solutions, and one solution with its evidence."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from labeling.domain.roles import Action
from labeling.forms.solutions import SolutionFilterForm
from labeling.selectors import solutions as reads
from labeling.selectors.filter_words import words
from labeling.selectors.filters import Filters
from labeling.views.adjudication import solution_page
from labeling.views.frame import frame, page


@require_GET
@login_required
def solutions(request: HttpRequest, uid: str) -> HttpResponse:
    """List the project's solutions; filters and position stand in the address."""
    within = frame(request, uid, Action.VIEW)
    form = SolutionFilterForm(request.GET)
    filters, gold = form.values(), within.can(Action.MANAGE)
    shown = reads.listed(
        within.project,
        within.user,
        Filters(**filters),
        after=request.GET.get("after"),
        before=request.GET.get("before"),
        gold=gold,
    )
    return page(
        request,
        "solutions.html",
        within,
        active="solutions",
        form=form,
        filters=filters,
        narrowed_by=list(words(within.project, form.hidden_labels(), filters, gold=gold)),
        query=urlencode(filters),
        shown=shown,
    )


@require_GET
@never_cache
@login_required
def solution(request: HttpRequest, uid: str, solution: str) -> HttpResponse:
    """Show one solution with everything that the user may see of it."""
    within = frame(request, uid, Action.VIEW)
    return solution_page(request, within, reads.solution_for(within.project, solution))
