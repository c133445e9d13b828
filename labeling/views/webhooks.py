"""The webhooks of a project and the log of each."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from labeling.domain.refusals import Refusal
from labeling.domain.roles import Action
from labeling.forms.webhooks import WebhookForm
from labeling.language import said
from labeling.selectors import catalog
from labeling.selectors import webhooks as reads
from labeling.services import webhooks as service
from labeling.views.frame import Frame, frame, page


@require_GET
@login_required
def webhooks(request: HttpRequest, uid: str) -> HttpResponse:
    """List the project's webhooks."""
    return _list(request, frame(request, uid, Action.MANAGE), WebhookForm())


@require_POST
@never_cache
@login_required
def add_webhook(request: HttpRequest, uid: str) -> HttpResponse:
    """Add a webhook and show its secret this once."""
    within = frame(request, uid, Action.MANAGE)
    form = WebhookForm(request.POST)
    if not form.is_valid():
        return _list(request, within, form, status=400)
    url, hooks = form.cleaned_data["url"], form.cleaned_data["events"]
    try:
        _, secret = service.create(by=within.user, project=within.project, url=url, hooks=hooks)
    except Refusal as error:
        form.add_error("url", said(error))
        return _list(request, within, form, status=error.status)
    return _list(request, within, WebhookForm(), secret=secret, url=url)


@require_GET
@login_required
def webhook(request: HttpRequest, uid: str, hook: str) -> HttpResponse:
    """Show one webhook with what it was told."""
    within = frame(request, uid, Action.MANAGE)
    found = catalog.webhook_for(within.project, hook)
    return page(
        request,
        "webhook.html",
        within,
        active="settings",
        webhook=found,
        deliveries=reads.deliveries_of(found),
        shown=reads.SHOWN,
    )


@require_POST
@login_required
def move_webhook(request: HttpRequest, uid: str, hook: str, move: str) -> HttpResponse:
    """Test, switch or remove the webhook."""
    within = frame(request, uid, Action.MANAGE)
    found, by = catalog.webhook_for(within.project, hook), within.user
    if move == "remove":
        service.remove(by=by, webhook=found)
        messages.success(request, gettext("The webhook is removed."))
        return redirect("webhooks", uid)
    if move == "test":
        service.ping(by=by, webhook=found, now=timezone.now())
        messages.success(request, gettext("A test is on its way."))
    elif move in ("on", "off"):
        service.switch(by=by, webhook=found, on=move == "on")
    else:
        raise Http404("no such move")
    return redirect("webhook", uid, hook)


@require_POST
@login_required
def send_again(request: HttpRequest, uid: str, hook: str, delivery: str) -> HttpResponse:
    """Send a message once more."""
    within = frame(request, uid, Action.MANAGE)
    found = reads.delivery_of(catalog.webhook_for(within.project, hook), delivery)
    service.send_again(by=within.user, delivery=found, now=timezone.now())
    messages.success(request, gettext("The message is sent again."))
    return redirect("webhook", uid, hook)


def _list(
    request: HttpRequest, within: Frame, form: WebhookForm, *, status: int = 200, **more: Any
) -> HttpResponse:
    rows = reads.webhooks_of(within.project)
    return page(
        request, "webhooks.html", within, status=status, active="settings", form=form, rows=rows,
        **more,
    )  # fmt: skip
