"""The completions behind one Monte-Carlo count, when somebody opens them."""

from __future__ import annotations

from collections.abc import Collection

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from labeling.domain.labels import LabelerKind
from labeling.domain.roles import Action
from labeling.models import Solution
from labeling.selectors import annotate as items
from labeling.selectors import solutions
from labeling.selectors.completions import completions
from labeling.services import assignments
from labeling.views.frame import Frame, frame, page


@require_GET
@never_cache
@vary_on_headers("HX-Request")
@login_required
def of_solution(request: HttpRequest, uid: str, solution: str) -> HttpResponse:
    """Show what a labeler drew from a step of a solution; the list alone for htmx."""
    within = frame(request, uid, Action.VIEW)
    found = solutions.solution_for(within.project, solution)
    return _shown(request, within, found, solutions.kinds_for(within.user, within.role, found))


@require_GET
@never_cache
@vary_on_headers("HX-Request")
@login_required
def of_item(request: HttpRequest, uid: str, item: str) -> HttpResponse:
    """Show what a labeler drew from a step of one's own item, as far as it may be seen now."""
    within = frame(request, uid, Action.ANNOTATE)
    found = items.own_assignment(within.user, within.project, item)
    answer = _shown(request, within, found.solution, items.kinds_now(found, within.role))
    if found.submitted_at:
        assignments.see_evidence(
            by=within.user, within=within.project, uid=item, now=timezone.now()
        )
    return answer


def _shown(
    request: HttpRequest, within: Frame, solution: Solution, kinds: Collection[LabelerKind]
) -> HttpResponse:
    step = request.GET.get("step", "")
    if not (step.isascii() and step.isdecimal() and len(step) < 5):
        raise Http404("no such step")
    bar = completions(solution, kinds, request.GET.get("labeler", ""), int(step))
    is_fragment = request.headers.get("HX-Request") == "true"
    template = "completions.html#list" if is_fragment else "completions.html"
    samples = bar.rest if "rest" in request.GET else (*bar.telling, *bar.rest)
    return page(request, template, within, bar=bar, samples=samples)
