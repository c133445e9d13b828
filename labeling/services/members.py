"""Who is in a project, and as what. What a removed member labeled stays."""

from __future__ import annotations

from django.db import transaction

from labeling.domain.refusals import Invalid, Refusal
from labeling.domain.roles import Role
from labeling.models import Membership, Project, User
from labeling.services import events


class LastOwner(Refusal):
    """A project without an owner could never be administered again."""

    code = "last_owner"


@transaction.atomic
def set_role(*, by: User, project: Project, user: User, role: Role) -> Membership:
    """Give the user a role, replacing an earlier one; raise LastOwner."""
    _lock(project)
    if role is not Role.OWNER:
        _check_another_owner(project, user)
    membership, made = Membership.objects.update_or_create(
        user=user, project=project, defaults={"role": role}
    )
    action = "member added" if made else "role changed"
    events.record(by=by, action=action, project=project, subject=user.username[:60], role=str(role))
    return membership


@transaction.atomic
def add(*, by: User, project: Project, username: str, role: Role) -> Membership:
    """Add somebody who has an account; raise Invalid for a name that nobody has."""
    user = User.objects.filter(username=username.strip(), is_active=True).first()
    if user is None:
        raise Invalid("there is no account named {name!r}: invite the person", name=username)
    if Membership.objects.filter(user=user, project=project).exists():
        raise Invalid("{name!r} is a member already: change the role below", name=username)
    return set_role(by=by, project=project, user=user, role=role)


@transaction.atomic
def remove(*, by: User, project: Project, user: User) -> None:
    """End a membership; raise LastOwner. The person's labels stay."""
    _lock(project)
    _check_another_owner(project, user)
    if Membership.objects.filter(user=user, project=project).delete()[0]:
        events.record(by=by, action="member removed", project=project, subject=user.username[:60])


def _lock(project: Project) -> None:
    # two owners may leave at once: the project's row decides who is first
    Project.objects.select_for_update().get(pk=project.pk)


def _check_another_owner(project: Project, user: User) -> None:
    owners = Membership.objects.filter(project=project, role=Role.OWNER)
    if owners.filter(user=user).exists() and not owners.exclude(user=user).exists():
        raise LastOwner("a project needs an owner: make somebody else one first")
