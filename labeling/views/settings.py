"""The settings of a project: its policy, its members, invitations; new projects."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from labeling.domain.refusals import NotAllowed, Refusal
from labeling.domain.roles import Action
from labeling.forms.settings import MemberForm, PolicyForm, ProjectForm, RoleForm
from labeling.language import said
from labeling.selectors import members as reads
from labeling.services import accounts, members, projects
from labeling.views.frame import Frame, frame, page, user_of


@require_GET
@vary_on_headers("HX-Request")
@login_required
def settings(request: HttpRequest, uid: str) -> HttpResponse:
    """Show the policy and the members; how far the decisions have followed for htmx."""
    within = frame(request, uid, Action.ADMINISTER)
    if request.headers.get("HX-Request") == "true":
        behind = reads.catching_up(within.project)
        return page(request, "settings.html#behind", within, behind=behind)
    return _settings(request, within)


@require_POST
@login_required
def change_policy(request: HttpRequest, uid: str) -> HttpResponse:
    """Change the policy; a refusal keeps what was written."""
    within = frame(request, uid, Action.ADMINISTER)
    form = PolicyForm(request.POST)
    if not form.is_valid():
        return _settings(request, within, status=400, form=form)
    try:
        projects.change_policy(
            by=within.user,
            project=within.project,
            based_on=form.cleaned_data["based_on"],
            **form.changes(),
        )
    except Refusal as error:
        form.add_error(None, said(error))
        return _settings(request, within, status=error.status, form=form)
    messages.success(request, gettext("The policy is changed."))
    return redirect("settings", uid)


@require_POST
@never_cache
@login_required
def add_member(request: HttpRequest, uid: str) -> HttpResponse:
    """Add somebody who has an account, or invite a new person and show the link this once."""
    within = frame(request, uid, Action.ADMINISTER)
    form = MemberForm(request.POST)
    if not form.is_valid():
        return _settings(request, within, status=400, member_form=form)
    try:
        if "invite" in request.POST:
            return _invited(request, within, form)
        members.add(by=within.user, project=within.project, **form.cleaned_data)
    except Refusal as error:
        form.add_error("username", said(error))
        return _settings(request, within, status=error.status, member_form=form)
    return redirect(reverse("settings", args=[uid]) + "#members")


@require_POST
@login_required
def change_role(request: HttpRequest, uid: str, number: int) -> HttpResponse:
    """Give a member another role."""
    within = frame(request, uid, Action.ADMINISTER)
    user = reads.member(within.project, number)
    form = RoleForm(request.POST)
    if form.is_valid():
        members.set_role(
            by=within.user, project=within.project, user=user, role=form.cleaned_data["role"]
        )
    return redirect(reverse("settings", args=[uid]) + "#members")


@require_POST
@login_required
def remove_member(request: HttpRequest, uid: str, number: int) -> HttpResponse:
    """End a membership; the person's labels stay."""
    within = frame(request, uid, Action.ADMINISTER)
    user = reads.member(within.project, number)
    members.remove(by=within.user, project=within.project, user=user)
    if user == within.user:
        return redirect("home")
    return redirect(reverse("settings", args=[uid]) + "#members")


@require_http_methods(["GET", "POST"])
@login_required
def new_project(request: HttpRequest) -> HttpResponse:
    """Make a project, which staff may."""
    user = user_of(request)
    if not user.is_staff:
        raise NotAllowed("only staff may make projects: ask whoever runs this server")
    form = ProjectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = projects.create(by=user, **form.cleaned_data)
        except Refusal as error:
            form.add_error("name", said(error))
        else:
            return redirect("settings", made.uid)
    status = 400 if form.errors else 200
    return render(request, "project_new.html", {"form": form}, status=status)


def _invited(request: HttpRequest, within: Frame, form: MemberForm) -> HttpResponse:
    plain = accounts.invite(
        by=within.user, project=within.project, now=timezone.now(), **form.cleaned_data
    )
    link = request.build_absolute_uri(reverse("welcome", args=[plain]))
    return _settings(request, within, link=link, invited=form.cleaned_data["username"])


def _settings(
    request: HttpRequest, within: Frame, *, status: int = 200, **more: Any
) -> HttpResponse:
    project = within.project
    context = {
        "form": PolicyForm.of(project.policy, project.policy_version),
        "member_form": MemberForm(),
        "role_form": RoleForm(),
        "members": reads.members(project),
        "behind": reads.catching_up(project),
    }
    return page(
        request, "settings.html", within, status=status, active="settings", **(context | more)
    )
