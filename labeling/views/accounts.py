"""Signing in, the link of an invitation, one's own password."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, SetPasswordForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from labeling.selectors.callers import address_of
from labeling.selectors.members import invited
from labeling.services import accounts, sign_ins
from labeling.services.tokens import digest
from labeling.views.frame import user_of


class SignIn(LoginView):
    """Sign in by name and password; who fails too often has to wait.

    The answer is the same whether the name exists or not.
    """

    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Refuse to look at a password while the name has to wait at this address."""
        wait = sign_ins.must_wait(**_who(request), now=timezone.now())
        if wait is None:
            return super().post(request, *args, **kwargs)
        minutes = int(wait.total_seconds() // 60) + 1
        context = self.get_context_data(form=AuthenticationForm(request), minutes=minutes)
        return self.render_to_response(context, status=429)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Count the failure."""
        sign_ins.fail(**_who(self.request), now=timezone.now())
        return super().form_invalid(form)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Sign in and forget earlier failures."""
        sign_ins.succeed(**_who(self.request))
        return super().form_valid(form)


def _who(request: HttpRequest) -> dict[str, str]:
    return {"name": request.POST.get("username", "")[:150], "address": address_of(request)}


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@never_cache
def welcome(request: HttpRequest, token: str) -> HttpResponse:
    """Let the invited set their password, once, and sign them in."""
    user = invited(digest(token), timezone.now())
    if user is None:
        return render(request, "registration/welcome.html", {"form": None}, status=404)
    form = SetPasswordForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        accounts.accept(by=user, password=form.cleaned_data["new_password1"], now=timezone.now())
        login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
        return redirect("home")
    return render(request, "registration/welcome.html", {"form": form, "invited": user})


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@never_cache
@login_required
def password(request: HttpRequest) -> HttpResponse:
    """Change one's own password; other sessions of the account end."""
    user = user_of(request)
    form = PasswordChangeForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        accounts.change_password(by=user, password=form.cleaned_data["new_password1"])
        update_session_auth_hash(request, user)
        messages.success(
            request, gettext("Your password is changed; elsewhere you are signed out.")
        )
        return redirect("password")
    return render(request, "registration/password.html", {"form": form})
