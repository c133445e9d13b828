"""The guidelines: to read, to acknowledge, to write; their versions; where people are unsure."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from labeling.domain.refusals import NotAllowed, Refusal
from labeling.domain.roles import Action
from labeling.forms.guidelines import GuidelinesForm
from labeling.language import said
from labeling.models.guidelines import LONGEST
from labeling.selectors import guidelines as reads
from labeling.selectors.step_questions import questions as doubts
from labeling.services import guidelines as service
from labeling.views.frame import Frame, frame, page


@require_GET
@login_required
def guidelines(request: HttpRequest, uid: str) -> HttpResponse:
    """Show the guidelines to every member, and to leads who has read them."""
    within = _reader(request, uid)
    lead = within.can(Action.MANAGE)
    return page(
        request,
        "guidelines.html",
        within,
        active="guidelines",
        guideline=reads.current(within.project),
        versions=reads.history(within.project),
        readers=reads.readers(within.project) if lead else [],
        must_read=within.can(Action.ANNOTATE) and reads.must_read(within.user, within.project),
    )


@require_GET
@login_required
def version(request: HttpRequest, uid: str, number: int) -> HttpResponse:
    """Show one version and what it changed; `?against=N` compares it with another one."""
    within = _reader(request, uid)
    shown = reads.version_of(within.project, number)
    asked = request.GET.get("against", "")
    against = int(asked) if asked.isascii() and asked.isdecimal() else number - 1
    other = reads.version_of(within.project, against) if 0 < against < 10**9 else None
    return page(
        request,
        "guidelines_version.html",
        within,
        active="guidelines",
        guideline=shown,
        other=other,
        versions=reads.history(within.project),
        lines=reads.compared(other, shown) if other else [],
    )


@require_GET
@login_required
def edit(request: HttpRequest, uid: str) -> HttpResponse:
    """Show the editor with the version that holds."""
    within = frame(request, uid, Action.MANAGE)
    form = GuidelinesForm.of(reads.current(within.project))
    return _editor(request, within, form, text=form.initial["text"])


@require_POST
@login_required
def preview(request: HttpRequest, uid: str) -> HttpResponse:
    """Show the text in the editor as annotators will see it; the preview alone for htmx."""
    within = frame(request, uid, Action.MANAGE)
    text = request.POST.get("text", "")[:LONGEST]
    if request.headers.get("HX-Request") == "true":
        return page(request, "guidelines_edit.html#preview", within, text=text)
    return _editor(request, within, GuidelinesForm(request.POST), text=text)


@require_POST
@login_required
def publish(request: HttpRequest, uid: str) -> HttpResponse:
    """Publish the text in the editor as the next version; a refusal keeps what was written."""
    within = frame(request, uid, Action.MANAGE)
    form = GuidelinesForm(request.POST)
    text = request.POST.get("text", "")
    if not form.is_valid():
        return _editor(request, within, form, text=text, status=400)
    try:
        made = service.publish(by=within.user, project=within.project, **form.cleaned_data)
    except Refusal as error:
        form.add_error(None, said(error))
        return _editor(request, within, form, text=text, status=error.status)
    messages.success(
        request, gettext("Version {version} is published.").format(version=made.version)
    )
    return redirect("guidelines", uid)


@require_POST
@login_required
def acknowledge(request: HttpRequest, uid: str, number: int) -> HttpResponse:
    """Note that the person has read the version that they were shown, and go on labeling."""
    within = frame(request, uid, Action.ANNOTATE)
    shown = reads.version_of(within.project, number)
    service.acknowledge(by=within.user, guideline=shown, now=timezone.now())
    return redirect("annotate", uid)


@require_GET
@login_required
def questions(request: HttpRequest, uid: str) -> HttpResponse:
    """List the steps that people marked unsure, with their notes."""
    within = frame(request, uid, Action.MANAGE)
    found = doubts(within.project, request.GET.get("page", "1"))
    return page(request, "guidelines_questions.html", within, active="guidelines", found=found)


def to_read(request: HttpRequest, within: Frame) -> HttpResponse:
    """Show what the person has to read before the next item."""
    unread = reads.unread(within.user, within.project)
    return page(request, "annotate/guidelines.html", within, active="annotate", unread=unread)


def _reader(request: HttpRequest, uid: str) -> Frame:
    try:
        return frame(request, uid, Action.ANNOTATE)
    except NotAllowed:
        return frame(request, uid, Action.VIEW)


def _editor(
    request: HttpRequest, within: Frame, form: GuidelinesForm, *, text: str, status: int = 200
) -> HttpResponse:
    return page(
        request,
        "guidelines_edit.html",
        within,
        status=status,
        active="guidelines",
        form=form,
        text=text,
        newest=reads.current(within.project),
    )
