"""The frame around every project page: who is looking, at what, and where they may go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from labeling.domain.roles import Action, Role, can
from labeling.language import Words
from labeling.models import Project, User
from labeling.selectors.access import membership_for

_PLACES = (
    ("annotate", _("Annotate"), Action.ANNOTATE),
    ("adjudication", _("Adjudicate"), Action.ADJUDICATE),
    ("overview", _("Overview"), Action.VIEW),
    ("solutions", _("Solutions"), Action.VIEW),
    ("agreement", _("Agreement"), Action.VIEW),
    ("quality", _("People"), Action.MANAGE),
    ("runs", _("Runs"), Action.VIEW),
    ("judges", _("Judges"), Action.VIEW),
    ("data", _("Data"), Action.VIEW),
    ("guidelines", _("Guidelines"), None),
)


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the navigation."""

    name: str
    title: Words
    url: str


@dataclass(frozen=True, slots=True)
class Frame:
    """A signed-in user within a project."""

    user: User
    project: Project
    role: Role | None

    @property
    def places(self) -> list[Place]:
        """Return the pages that this role may open."""
        return [
            Place(name, title, reverse(name, args=[self.project.uid]))
            for name, title, action in _PLACES
            if action is None or can(self.role, action)
        ]

    def title_of(self, name: str | None) -> Words:
        """Return the title of a page in the navigation; empty for one that is not there."""
        return next((place.title for place in self.places if place.name == name), "")

    def can(self, action: Action) -> bool:
        """Say whether the role permits the action."""
        return can(self.role, action)


def frame(request: HttpRequest, uid: str, action: Action) -> Frame:
    """Return the frame, or raise Http404 to an outsider, NotAllowed to a member."""
    member = membership_for(request.user, uid, action)
    return Frame(user_of(request), member.project, Role(member.role))


def user_of(request: HttpRequest) -> User:
    """Return the signed-in user; views use it behind login_required."""
    if not isinstance(request.user, User):
        raise TypeError("login_required is missing before this view")
    return request.user


def page(
    request: HttpRequest, template: str, within: Frame, *, status: int = 200, **context: Any
) -> HttpResponse:
    """Render a project page."""
    active = context.get("active")
    return render(
        request,
        template,
        {
            "project": within.project,
            "role": within.role,
            # a fragment has no navigation, and then it is not made
            "places": SimpleLazyObject(lambda: within.places),
            "here": SimpleLazyObject(lambda: within.title_of(active)),
            "may_manage": within.can(Action.MANAGE),
            "may_annotate": within.can(Action.ANNOTATE),
            "may_administer": within.can(Action.ADMINISTER),
            **context,
        },
        status=status,
    )
