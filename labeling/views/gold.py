"""Gold items: the list, making them one by one or by a draw, changing and retiring them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from labeling.domain.refusals import Invalid
from labeling.domain.roles import Action
from labeling.forms import errors_in_words
from labeling.forms.quality import GoldChangeForm, GoldForm, SampleForm
from labeling.language import said
from labeling.models import Solution
from labeling.selectors import gold_items as reads
from labeling.selectors.solutions import solution_for
from labeling.services import gold as service
from labeling.views import quality_tables as tables
from labeling.views.frame import Frame, frame, page
from labeling.views.tables import as_csv, wants_csv

_SHOWN = ("", "exam", "hidden", "retired", "doubtful")


@require_GET
@login_required
def gold(request: HttpRequest, uid: str) -> HttpResponse:
    """List the gold items with how people did on them."""
    within = frame(request, uid, Action.MANAGE)
    return _gold_page(request, within, _sample_form(within))


@require_POST
@login_required
def sample(request: HttpRequest, uid: str) -> HttpResponse:
    """Make so many random solutions of a labeler gold."""
    within = frame(request, uid, Action.MANAGE)
    form = _sample_form(within, request.POST)
    labeler = reads.source_for(within.project, request.POST.get("labeler", ""))
    if not form.is_valid() or labeler is None:
        return _gold_page(request, within, form, status=400)
    given = form.cleaned_data
    made = service.add_sample(
        by=within.user, project=within.project, labeler=labeler, count=given["count"],
        use=given["use"], seed=given["seed"],
    )  # fmt: skip
    done = ngettext("One gold item more.", "{count} gold items more.", made)
    messages.success(request, done.format(count=made))
    return redirect("gold", uid)


@require_POST
@login_required
def change(request: HttpRequest, uid: str, solution: str) -> HttpResponse:
    """Change where a gold item serves, its explanation, or retire it."""
    within = frame(request, uid, Action.MANAGE)
    item = reads.item_for(within.project, solution)
    form = GoldChangeForm(request.POST)
    if not form.is_valid():
        raise Invalid(errors_in_words(form))
    service.change(by=within.user, item=item, **form.cleaned_data)
    messages.success(request, _("The gold item is changed."))
    return redirect("gold", uid)


@require_POST
@login_required
def add(request: HttpRequest, uid: str, solution: str) -> HttpResponse:
    """Make one solution a gold item."""
    within = frame(request, uid, Action.MANAGE)
    found = solution_for(within.project, solution)
    form = GoldForm(len(found.steps), request.POST)
    if not form.is_valid():
        raise Invalid(errors_in_words(form))
    service.add(by=within.user, solution=found, **form.cleaned_data)
    messages.success(request, _("The solution is a gold item now."))
    return redirect("solution", uid, solution)


def beside_solution(within: Frame, found: Solution) -> dict[str, Any]:
    """Return what a solution's page shows of it as a gold item to who manages; else nothing."""
    if not within.can(Action.MANAGE):
        return {}
    return {"gold": reads.gold_of(found), "gold_form": GoldForm(len(found.steps))}


def _sample_form(within: Frame, data: Any = None) -> SampleForm:
    sources = reads.sources(within.project)
    return SampleForm([(one.uid, f"{one.name} ({said(one.kind.words)})") for one in sources], data)


def _gold_page(
    request: HttpRequest, within: Frame, form: SampleForm, status: int = 200
) -> HttpResponse:
    shown = request.GET.get("shown", "")
    shown = shown if shown in _SHOWN else ""
    every = reads.gold_items(within.project)
    found = [item for item in every if item.shows_under(shown)]
    if wants_csv(request):
        return as_csv(f"gold {within.project.name}", tables.GOLD, tables.gold(found))
    return page(
        request,
        "quality/gold.html",
        within,
        status=status,
        active="quality",
        tab="gold",
        gold=found,
        stock=reads.stock(every),
        every=len(every),
        shown=shown,
        form=form,
        policy=within.project.policy,
    )
