"""The exam: its page for who takes it, the table of everybody's standing for who manages."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from labeling.domain.refusals import Invalid
from labeling.domain.roles import Action, Role
from labeling.forms import errors_in_words
from labeling.forms.quality import GrantForm, labeler_uid
from labeling.selectors import exam_results, exams
from labeling.selectors.people import people, user_for
from labeling.services import exams as service
from labeling.views.frame import frame, page


@require_GET
@never_cache
@login_required
def exam(request: HttpRequest, uid: str) -> HttpResponse:
    """Show what awaits, how far the person is, or the result with every key.

    Seeing the result is noted: from then on these answers cannot be corrected any more.
    """
    within = frame(request, uid, Action.ANNOTATE)
    current, *earlier = exam_results.attempts(within.user, within.project)
    if current.items:
        service.see_result(by=within.user, project=within.project, now=timezone.now())
    return page(
        request,
        "quality/exam.html",
        within,
        active="annotate",
        current=current,
        earlier=earlier,
        takes=within.role is Role.ANNOTATOR,
        policy=within.project.policy,
    )


@require_GET
@login_required
def examinees(request: HttpRequest, uid: str) -> HttpResponse:
    """List who passed, who did not, and who has not begun."""
    within = frame(request, uid, Action.MANAGE)
    found = exam_results.examinees(within.project)
    rows = [
        (one, found.get(one.user_id))
        for one in people(within.project)
        if one.role is Role.ANNOTATOR or one.user_id in found
    ]
    return page(
        request,
        "quality/examinees.html",
        within,
        active="quality",
        tab="exam",
        rows=rows,
        unbegun=exam_results.unbegun(within.project),
        usable=exams.usable(within.project).count(),
        policy=within.project.policy,
    )


@require_POST
@login_required
def grant(request: HttpRequest, uid: str, labeler: str) -> HttpResponse:
    """Let somebody who failed take the exam once more."""
    within = frame(request, uid, Action.MANAGE)
    user = user_for(within.project, labeler_uid(labeler))
    form = GrantForm(request.POST)
    if not form.is_valid():
        raise Invalid(errors_in_words(form))
    service.grant(
        by=within.user, project=within.project, user=user, reason=form.cleaned_data["reason"]
    )
    granted = _("{name} may take the exam once more, with items never seen before.")
    messages.success(request, granted.format(name=user.username))
    return redirect("exam_people", uid)
