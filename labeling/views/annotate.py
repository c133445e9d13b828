"""The annotate page and what it posts: draft, submit, skip, report."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from labeling import forms
from labeling.domain.refusals import Invalid
from labeling.domain.roles import Action
from labeling.domain.visibility import visible_kinds
from labeling.selectors import annotate as reads
from labeling.services import assignments
from labeling.views.frame import Frame, frame, page

SKIP_REASONS = ("too hard for me", "would take too long", "I know this item already")
REPORT_REASONS = (
    "the problem is wrong or unclear",
    "the reference answer is wrong",
    "the steps are cut badly",
)


@require_GET
@never_cache
@login_required
def annotate(request: HttpRequest, uid: str) -> HttpResponse:
    """Show the person's open item, leasing the next one if there is none.

    Leasing on GET is safe to repeat: the open item comes back until it is submitted or skipped.
    """
    within = frame(request, uid, Action.ANNOTATE)
    now = timezone.now()
    leased = assignments.lease_next(by=within.user, project=within.project, now=now)
    progress = reads.progress(within.user, within.project, now)
    if leased is None:
        return page(request, "annotate/empty.html", within, active="annotate", progress=progress)
    found = reads.open_assignment(within.user, within.project, leased.uid)
    return page(
        request,
        "annotate/item.html",
        within,
        active="annotate",
        item=reads.item(found, within.role),
        progress=progress,
        skip_reasons=SKIP_REASONS,
        report_reasons=REPORT_REASONS,
    )


@require_GET
@never_cache
@login_required
def submitted(request: HttpRequest, uid: str, item: str) -> HttpResponse:
    """Show a submitted item with the evidence that the person may see now."""
    within = frame(request, uid, Action.ANNOTATE)
    found = reads.open_assignment(within.user, within.project, item)
    shown = reads.submitted(found, within.role)
    return page(request, "annotate/submitted.html", within, active="annotate", shown=shown)


@require_POST
@login_required
def save_draft(request: HttpRequest, uid: str, item: str) -> HttpResponse:
    """Keep the labels so far and answer with the draft's new version."""
    within = _owning(request, uid, item)
    data = _json(request, forms.DraftForm)
    saved = assignments.save_draft(by=within.user, uid=item, now=timezone.now(), **data)
    return JsonResponse({"version": saved.draft_version})


@require_POST
@login_required
def submit(request: HttpRequest, uid: str, item: str) -> HttpResponse:
    """Turn the labels into the person's verdict and answer with the page to go on to."""
    within = _owning(request, uid, item)
    data = _json(request, forms.SubmitForm)
    assignments.submit(by=within.user, uid=item, now=timezone.now(), **data)
    return JsonResponse({"next": _after(within, item)})


@require_POST
@login_required
def skip(request: HttpRequest, uid: str, item: str) -> HttpResponse:
    """Return the item to the others, with a reason."""
    within = _owning(request, uid, item)
    reason = forms.ReasonForm(request.POST).reason()
    assignments.skip(by=within.user, uid=item, reason=reason, now=timezone.now())
    return redirect("annotate", uid)


@require_POST
@login_required
def reject(request: HttpRequest, uid: str, item: str) -> HttpResponse:
    """Report that the item cannot be labeled."""
    within = _owning(request, uid, item)
    reason = forms.ReasonForm(request.POST).reason()
    assignments.reject(by=within.user, uid=item, reason=reason, now=timezone.now())
    return redirect("annotate", uid)


def _owning(request: HttpRequest, uid: str, item: str) -> Frame:
    within = frame(request, uid, Action.ANNOTATE)
    reads.open_assignment(within.user, within.project, item)
    return within


def _after(within: Frame, item: str) -> str:
    kinds = visible_kinds(within.role, within.project.policy, labeling=True, submitted=True)
    if kinds:
        return reverse("annotate_submitted", args=[within.project.uid, item])
    return reverse("annotate", args=[within.project.uid])


def _json(request: HttpRequest, form: type[Form]) -> dict[str, Any]:
    try:
        values = json.loads(request.body)
    except ValueError as error:
        raise Invalid("the request is not JSON") from error
    if not isinstance(values, dict) or not isinstance(values.get("draft"), dict):
        raise Invalid("the request lacks a draft")
    bound = form({**values, "draft": json.dumps(values["draft"])})
    if not bound.is_valid():
        raise Invalid(forms.errors_in_words(bound))
    return bound.cleaned_data
