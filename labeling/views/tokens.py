"""API tokens of the signed-in user."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from labeling.forms import TokenForm
from labeling.selectors.pages import token_of, tokens_of
from labeling.selectors.webhooks import managed_by
from labeling.services import tokens as service
from labeling.views.frame import user_of


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
def tokens(request: HttpRequest) -> HttpResponse:
    """List the tokens; a post issues one and shows it this once."""
    user, plain = user_of(request), None
    form = TokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        _, plain = service.issue(by=user, now=timezone.now(), **form.cleaned_data)
        form = TokenForm()
    context = {"form": form, "tokens": tokens_of(user), "plain": plain, "now": timezone.now()}
    context["managed"] = managed_by(user)
    return render(request, "tokens.html", context)


@require_POST
@login_required
def revoke(request: HttpRequest, prefix: str) -> HttpResponse:
    """End one of the user's own tokens."""
    token = token_of(user_of(request), prefix)
    service.revoke(by=user_of(request), token=token, now=timezone.now())
    return redirect("tokens")
