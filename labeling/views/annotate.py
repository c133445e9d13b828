"""The annotate page: the current item, the next one ahead of it, submitted ones."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from labeling.domain.assignments import RejectReason, SkipReason
from labeling.domain.roles import Action
from labeling.models import Assignment, Guideline
from labeling.selectors import annotate as reads
from labeling.selectors import exam_results
from labeling.selectors.corrections import check_correctable
from labeling.selectors.guidelines import current, while_labeling
from labeling.services import assignments
from labeling.views.frame import Frame, frame, page
from labeling.views.guidelines import to_read

SKIP_REASONS = (
    (SkipReason.GIVE_UP, _("too hard for me")),
    (SkipReason.TOO_LONG, _("would take too long")),
    (SkipReason.KNOWN, _("I know this item already")),
    (SkipReason.OTHER, _("something else, as I say below")),
)
REPORT_REASONS = (
    (RejectReason.BAD_PROBLEM, _("the problem is wrong or unclear")),
    (RejectReason.WRONG_REFERENCE, _("the reference answer is wrong")),
    (RejectReason.BAD_STEPS, _("the steps are cut badly")),
    (RejectReason.OTHER, _("something else, as I say below")),
)


@require_GET
@never_cache
@login_required
def annotate(request: HttpRequest, uid: str) -> HttpResponse:
    """Show the person's open item, leasing the next one if there is none.

    Leasing on GET is safe to repeat: the open item comes back until it is submitted or skipped.
    Who has to take the exam first, or to see its result, is sent to its page.
    """
    within = frame(request, uid, Action.ANNOTATE)
    guideline, must_read = while_labeling(within.user, within.project)
    if must_read:
        return to_read(request, within)
    begun = "begin" in request.GET
    if exam_results.comes_first(within.user, within.project, within.role, begun=begun):
        return redirect("exam", uid)
    now = timezone.now()
    leased = assignments.lease_next(by=within.user, project=within.project, now=now)
    if leased is None:
        progress = reads.progress(within.user, within.project, now)
        return page(request, "annotate/empty.html", within, active="annotate", progress=progress)
    return page(request, "annotate/item.html", within, **_bench(within, leased.uid, guideline))


@require_POST
@login_required
def ahead(request: HttpRequest, uid: str, item: str) -> HttpResponse:
    """Lease the item that follows `item` and answer with its bench; 204 when nothing is left."""
    within = frame(request, uid, Action.ANNOTATE)
    guideline, must_read = while_labeling(within.user, within.project)
    if must_read:
        return HttpResponse(status=204)  # the page goes to `annotate`, which shows what to read
    leased = assignments.lease_ahead(
        by=within.user, project=within.project, uid=item, now=timezone.now()
    )
    if leased is None:
        return HttpResponse(status=204)
    return page(request, "annotate/_bench.html", within, **_bench(within, leased.uid, guideline))


@require_GET
@never_cache
@login_required
def edit(request: HttpRequest, uid: str, item: str) -> HttpResponse:
    """Show a submitted item with the labels that the person gave, to correct them."""
    within = frame(request, uid, Action.ANNOTATE)
    found = reads.own_assignment(within.user, within.project, item)
    check_correctable(found)
    return page(
        request, "annotate/item.html", within, **_bench(within, item, current(within.project))
    )


@require_GET
@never_cache
@login_required
def submitted(request: HttpRequest, uid: str, item: str) -> HttpResponse:
    """Show a submitted item with the evidence that the person may see now."""
    within = frame(request, uid, Action.ANNOTATE)
    found = reads.own_assignment(within.user, within.project, item)
    return show_submitted(request, within, found, "annotate/submitted.html")


@require_GET
@never_cache
@login_required
def history(request: HttpRequest, uid: str) -> HttpResponse:
    """Answer with the person's last submissions and skips, newest first, for "back"."""
    within = frame(request, uid, Action.ANNOTATE)
    return JsonResponse({"items": reads.history(within.user, within.project)})


def show_submitted(
    request: HttpRequest, within: Frame, item: Assignment, template: str
) -> HttpResponse:
    """Show a submitted item by this template, and note that the person has seen the evidence."""
    shown = reads.submitted(item, within.role)
    if item.evidence_seen_at is None and reads.evidence_kinds(item, within.role):
        assignments.see_evidence(
            by=within.user, within=within.project, uid=item.uid, now=timezone.now()
        )
    completions_at = reverse("annotate_completions", args=[within.project.uid, item.uid])
    return page(
        request,
        template,
        within,
        active="annotate",
        item_uid=item.uid,
        shown=shown,
        completions_at=completions_at,
    )


def _bench(within: Frame, uid: str, guideline: Guideline | None) -> dict[str, Any]:
    found: Assignment = reads.own_assignment(within.user, within.project, uid)
    return {
        "active": "annotate",
        "guideline": guideline,
        "item": reads.item(found, within.role),
        "completions_at": reverse("annotate_completions", args=[within.project.uid, uid]),
        # a fragment says nothing of it, and then it is not counted
        "progress": SimpleLazyObject(
            lambda: reads.progress(within.user, within.project, timezone.now())
        ),
        "skip_reasons": SKIP_REASONS,
        "report_reasons": REPORT_REASONS,
    }
