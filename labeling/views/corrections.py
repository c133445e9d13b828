"""Correcting a reference answer: ask, look at what would change, confirm or drop."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from labeling.domain.refusals import Invalid, Refusal
from labeling.domain.roles import Action
from labeling.forms import CorrectAnswerForm, errors_in_words
from labeling.models import AnswerCorrection, Problem, User
from labeling.selectors import answer_corrections as reads
from labeling.selectors.solutions import kinds_for, solution_for
from labeling.services import adjudications, answer_corrections
from labeling.views.adjudication import solution_page
from labeling.views.frame import frame, page


@require_POST
@login_required
def correct(request: HttpRequest, uid: str, solution: str) -> HttpResponse:
    """Ask what another reference answer would change; what is refused is said beside the form."""
    within = frame(request, uid, Action.ADJUDICATE)
    found = solution_for(within.project, solution)
    form = CorrectAnswerForm(request.POST)
    try:
        if not kinds_for(within.user, within.role, found):
            raise adjudications.OwnLabelFirst(
                "you are labeling this solution: submit your own label first"
            )
        made = _proposed(within.user, found.problem, form)
    except Refusal as refusal:
        return solution_page(request, within, found, refusal=refusal, corrected=form)
    return redirect("correction", uid, made.uid)


@require_GET
@never_cache
@vary_on_headers("HX-Request")
@login_required
def correction(request: HttpRequest, uid: str, correction: str) -> HttpResponse:
    """Show a correction: its progress, what it would change, or what it has changed."""
    within = frame(request, uid, Action.VIEW)
    found = reads.correction_of(within.project, correction)
    fragment = request.headers.get("HX-Request") == "true"
    return page(
        request,
        "correction.html#body" if fragment else "correction.html",
        within,
        active="solutions",
        correction=found,
        under_way=found.state in answer_corrections.WORKED_ON,
        may_adjudicate=within.can(Action.ADJUDICATE),
        hidden=reads.is_labeling(found, within.user),
        rows=reads.changes_of(found),
        snapshots=reads.older_snapshots(found),
    )


@require_POST
@login_required
def move(request: HttpRequest, uid: str, correction: str, move: str) -> HttpResponse:
    """Confirm or drop a correction."""
    within = frame(request, uid, Action.ADJUDICATE)
    found = reads.correction_of(within.project, correction)
    if move == "confirm":
        answer_corrections.confirm(by=within.user, correction=found, now=timezone.now())
    elif move == "drop":
        answer_corrections.drop(by=within.user, correction=found)
    else:
        raise Http404("no such move")
    return redirect("correction", uid, correction)


def _proposed(by: User, problem: Problem, form: CorrectAnswerForm) -> AnswerCorrection:
    if not form.is_valid():
        raise Invalid(errors_in_words(form))
    return answer_corrections.propose(by=by, problem=problem, **form.cleaned_data)
