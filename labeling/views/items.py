"""What the annotate page posts of one item: draft, submission, skip, report, leaving."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from labeling import forms
from labeling.domain.refusals import Invalid
from labeling.domain.roles import Action
from labeling.selectors import annotate as reads
from labeling.services import assignments
from labeling.views.annotate import show_submitted
from labeling.views.frame import Frame, frame


@require_POST
@login_required
def save_draft(request: HttpRequest, uid: str, item: str) -> HttpResponse:
    """Keep the labels so far and answer with the draft's new version."""
    within = frame(request, uid, Action.ANNOTATE)
    data = _json(request, forms.DraftForm)
    saved = assignments.save_draft(
        by=within.user, within=within.project, uid=item, now=timezone.now(), **data
    )
    return JsonResponse({"version": saved.draft_version})


@require_POST
@login_required
def submit(request: HttpRequest, uid: str, item: str) -> HttpResponse:
    """Turn the labels into the person's verdict, or correct it, and say where to go on."""
    within = frame(request, uid, Action.ANNOTATE)
    data = _json(request, forms.SubmitForm)
    version, show, now = data.pop("version"), data.pop("show"), timezone.now()
    if version is None:
        assignments.submit(
            by=within.user, within=within.project, uid=item, now=now, show=show, **data
        )
    else:
        assignments.correct(
            by=within.user, within=within.project, uid=item, version=version, **data
        )
    return JsonResponse(_after(request, within, item, show=show))


@require_POST
@login_required
def skip(request: HttpRequest, uid: str, item: str) -> HttpResponse:
    """Return the item to the others, with a reason."""
    within = frame(request, uid, Action.ANNOTATE)
    data = _posted(forms.SkipForm(request.POST))
    assignments.skip(by=within.user, within=within.project, uid=item, now=timezone.now(), **data)
    return redirect("annotate", uid)


@require_POST
@login_required
def unskip(request: HttpRequest, uid: str, item: str) -> HttpResponse:
    """Take a skipped item back."""
    within = frame(request, uid, Action.ANNOTATE)
    assignments.unskip(by=within.user, within=within.project, uid=item, now=timezone.now())
    return redirect("annotate", uid)


@require_POST
@login_required
def reject(request: HttpRequest, uid: str, item: str) -> HttpResponse:
    """Report that the item cannot be labeled."""
    within = frame(request, uid, Action.ANNOTATE)
    data = _posted(forms.RejectForm(request.POST))
    assignments.reject(by=within.user, within=within.project, uid=item, now=timezone.now(), **data)
    return redirect("annotate", uid)


@require_POST
@login_required
def release(request: HttpRequest, uid: str, item: str) -> HttpResponse:
    """End the leases of somebody who leaves the page (navigator.sendBeacon)."""
    within = frame(request, uid, Action.ANNOTATE)
    assignments.release(by=within.user, project=within.project, uid=item, now=timezone.now())
    return HttpResponse(status=204)


def _after(request: HttpRequest, within: Frame, item: str, *, show: bool) -> dict[str, Any]:
    uid = within.project.uid
    answer = {"next": reverse("annotate", args=[uid]), "evidence": None}
    found = reads.own_assignment(within.user, within.project, item)
    if not reads.evidence_kinds(found, within.role):
        return answer
    answer["evidence"] = reverse("annotate_submitted", args=[uid, item])
    # a trip less until the person sees it
    main = show_submitted(request, within, found, "annotate/_submitted.html") if show else None
    return {**answer, "main": main.content.decode()} if main else answer


def _posted(form: Form) -> dict[str, Any]:
    if not form.is_valid():
        raise Invalid(forms.errors_in_words(form))
    return form.cleaned_data


def _json(request: HttpRequest, form: type[Form]) -> dict[str, Any]:
    try:
        values = json.loads(request.body)
    except ValueError as error:
        raise Invalid("the request is not JSON") from error
    if not isinstance(values, dict) or not isinstance(values.get("draft"), dict):
        raise Invalid("the request lacks a draft")
    return _posted(form({**values, "draft": json.dumps(values["draft"])}))
