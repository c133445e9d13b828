"""Numbers about people: everybody for leads, one person with their items, one's own."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from labeling.domain.quality import FEWEST_SHOWN, Against, Outcome
from labeling.domain.roles import Action
from labeling.forms.quality import ItemsForm, PeriodForm, labeler_uid
from labeling.selectors import exam_results, mine, person_items
from labeling.selectors import people as reads
from labeling.selectors.person_items import Doing, Wanted
from labeling.views import quality_tables as tables
from labeling.views.frame import Frame, frame, page
from labeling.views.tables import as_csv, wants_csv


@require_GET
@login_required
def people(request: HttpRequest, uid: str) -> HttpResponse:
    """Show everybody's accuracy, agreement and pace; period and order stand in the address."""
    within = frame(request, uid, Action.MANAGE)
    form = PeriodForm(request.GET)
    days = form.days_or_none()
    sort = str(form.cleaned_data.get("sort") or "name")
    found = reads.ordered(reads.people(within.project, _since(days)), sort)
    if wants_csv(request):
        return as_csv(f"people {within.project.name}", tables.PEOPLE, tables.people(found))
    return page(
        request,
        "quality/people.html",
        within,
        active="quality",
        tab="people",
        people=found,
        heads=tables.heads(sort, days),
        days=days,
        period=_query(days=days),
        prefix=f"days={days}&" if days else "",
        sort=sort,
        standings=exam_results.examinees(within.project),
        unbegun=exam_results.unbegun(within.project),
        limit=within.project.policy.too_fast_seconds,
    )


@require_GET
@login_required
def person(request: HttpRequest, uid: str, labeler: str) -> HttpResponse:
    """Show one person's numbers, and the items behind the one that the address names."""
    within = frame(request, uid, Action.MANAGE)
    user = reads.user_for(within.project, labeler_uid(labeler))
    form = ItemsForm(request.GET)
    days = form.days_or_none()
    wanted = _wanted(form, days)
    if wants_csv(request):
        every = person_items.every_item(within.project, user, wanted)
        return as_csv(f"items of {user.username}", tables.ITEMS, tables.items(every))
    number = form.cleaned_data.get("page") or 1
    return page(
        request,
        "quality/person.html",
        within,
        active="quality",
        tab="people",
        person=reads.person(within.project, user, _since(days)),
        sections=list(Against),
        outcomes=list(Outcome),
        wanted=wanted,
        listed=person_items.items_of(within.project, user, wanted, number),
        days=days,
        period=_query(days=days),
        prefix=f"days={days}&" if days else "",
        query=_query(days=days, **_named(wanted)),
        limit=within.project.policy.too_fast_seconds,
        attempts=exam_results.attempts(user, within.project),
    )


@require_GET
@login_required
def own(request: HttpRequest, uid: str) -> HttpResponse:
    """Show the signed-in person's own numbers: nothing that gives a hidden item away."""
    within: Frame = frame(request, uid, Action.ANNOTATE)
    found = mine.numbers(within.user, within.project, timezone.now())
    if wants_csv(request):
        return as_csv(f"my numbers {within.project.name}", tables.OWN, tables.own(found))
    return page(
        request,
        "quality/mine.html",
        within,
        active="quality_mine",
        mine=found,
        fewest=FEWEST_SHOWN,
        limit=within.project.policy.too_fast_seconds,
    )


def _since(days: int | None) -> datetime | None:
    return timezone.now() - timedelta(days=days) if days else None


def _wanted(form: ItemsForm, days: int | None) -> Wanted:
    doing = form.value("doing")
    return Wanted(
        against=form.cleaned_data.get("against"),
        outcome=form.cleaned_data.get("outcome"),
        doing=Doing(doing) if doing in list(Doing) else None,
        since=_since(days),
    )


def _named(wanted: Wanted) -> dict[str, str | None]:
    return {"against": wanted.against, "outcome": wanted.outcome, "doing": wanted.doing}


def _query(**values: object) -> str:
    return urlencode({name: value for name, value in values.items() if value})
