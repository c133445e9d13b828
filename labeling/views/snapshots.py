"""Snapshots: ask for one, watch it being frozen, see what is in it, get it in other formats."""

from __future__ import annotations

import json

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from labeling.domain.roles import Action
from labeling.forms.snapshots import SnapshotForm
from labeling.models import Snapshot
from labeling.selectors import catalog
from labeling.selectors import snapshots as reads
from labeling.services import snapshot_formats, snapshots
from labeling.views.frame import Frame, frame, page

CARD_SHOWN = 20_000
"""Characters of the data card on the page."""


@require_GET
@login_required
def new_snapshot(request: HttpRequest, uid: str) -> HttpResponse:
    """Show the form of a rule."""
    within = frame(request, uid, Action.MANAGE)
    return _form(request, within, SnapshotForm(evaluation_sets=_sets(within)))


@require_POST
@login_required
def request_snapshot(request: HttpRequest, uid: str) -> HttpResponse:
    """Ask for a snapshot of the project's decisions."""
    within = frame(request, uid, Action.MANAGE)
    form = SnapshotForm(request.POST, evaluation_sets=_sets(within))
    if not form.is_valid():
        return _form(request, within, form, status=400)
    made = snapshots.request(
        by=within.user,
        project=within.project,
        name=form.cleaned_data["name"],
        rule=form.rule(),
        formats=form.cleaned_data["formats"],
    )
    words = gettext("The snapshot is asked for; a worker of queue export freezes it.")
    messages.success(request, words)
    return redirect("snapshot", uid, made.uid)


@require_GET
@vary_on_headers("HX-Request")
@login_required
def snapshot(request: HttpRequest, uid: str, snapshot: str) -> HttpResponse:
    """Show the rule, how far it is, what is in it and what is not, its files; live for htmx."""
    within = frame(request, uid, Action.VIEW)
    found = catalog.snapshot_for(within.project, snapshot)
    fragment = request.headers.get("HX-Request") == "true"
    return page(
        request,
        "snapshot.html#body" if fragment else "snapshot.html",
        within,
        active="data",
        snapshot=found,
        under_way=reads.under_way(found),
        formats=reads.formats_of(found),
        left_out=reads.left_out_of(found),
        rule=json.dumps(found.rule, indent=2, sort_keys=True, ensure_ascii=False),
        card=_card(found),
        may_export=within.can(Action.EXPORT),
    )


@require_POST
@login_required
def move_snapshot(request: HttpRequest, uid: str, snapshot: str) -> HttpResponse:
    """Ask for a format; or try again what could not be frozen."""
    within = frame(request, uid, Action.MANAGE)
    found = catalog.snapshot_for(within.project, snapshot)
    wanted = request.POST.get("format")
    if wanted:
        snapshot_formats.ask(by=within.user, snapshot=found, name=wanted)
    else:
        snapshots.retry(by=within.user, snapshot=found)
    return redirect("snapshot", uid, snapshot)


def _form(
    request: HttpRequest, within: Frame, form: SnapshotForm, status: int = 200
) -> HttpResponse:
    return page(request, "snapshot_new.html", within, status=status, active="data", form=form)


def _sets(within: Frame) -> list[tuple[str, str]]:
    return reads.evaluation_sets(within.user, within.project)


def _card(snapshot: Snapshot) -> str:
    path = snapshots.folder_of(snapshot) / "README.md"
    if not snapshot.frozen_at or not path.is_file():
        return ""
    with path.open(encoding="utf-8") as file:
        return file.read(CARD_SHOWN)
