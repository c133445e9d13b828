"""Who may reach which project. An outsider sees nothing, not even that it exists."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.http import Http404

from labeling.domain.roles import Action, Role, check_can
from labeling.models import Membership, Project, User
from labeling.models.fields import is_uid


def role_of(user: User | AnonymousUser, project: Project) -> Role | None:
    """Return the user's role in the project, None for an outsider."""
    if not user.is_authenticated:
        return None
    role = (
        Membership.objects.filter(user_id=user.pk, project=project)
        .values_list("role", flat=True)
        .first()
    )
    return Role(role) if role else None


def project_for(user: User | AnonymousUser, uid: str, action: Action) -> Project:
    """Return the project; Http404 for an outsider, NotAllowed for a member without the right."""
    project = Project.objects.filter(uid=uid).first() if is_uid(uid) else None
    role = role_of(user, project) if project else None
    if project is None or role is None:
        raise Http404("no such project")
    check_can(role, action)
    return project


def projects_of(user: User) -> list[Project]:
    """Return the user's projects by name."""
    return list(Project.objects.filter(memberships__user=user).order_by("name"))
