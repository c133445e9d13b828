"""Who may reach which project. An outsider sees nothing, not even that it exists."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.http import Http404

from labeling.domain.roles import Action, Role, check_can
from labeling.models import Membership, Project, User
from labeling.models.compiled import Compiled, given
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
    return membership_for(user, uid, action).project


def membership_for(user: User | AnonymousUser, uid: str, action: Action | None) -> Membership:
    """Return the user's membership with its project; refuse as `project_for` does.

    Without an action any member passes.
    """
    found = None
    if is_uid(uid) and user.is_authenticated:
        found = _membership.first(user=user.pk, project=uid)
    if found is None:
        raise Http404("no such project")
    if action is not None:
        check_can(Role(found.role), action)
    return found


@Compiled
def _membership() -> QuerySet[Membership]:
    members = Membership.objects.select_related("project")
    return members.filter(user=given("user"), project__uid=given("project"))
