"""Create projects, set their policy, add members."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db import transaction

from labeling.domain.phrases import phrase_of
from labeling.domain.policy import Policy, PolicyError
from labeling.domain.refusals import Invalid, Refusal
from labeling.domain.roles import Role
from labeling.models import Membership, Project, User
from labeling.services import decisions, events
from labeling.services import guidelines as versions

DECIDING = ("consensus_kinds", "human_overlap")
"""Fields of the policy that the decisions follow from."""

MACHINE = "machine"
"""Username of the service account in whose name workers write."""


class Overtaken(Refusal):
    """Somebody changed the same thing meanwhile."""

    code = "overtaken"


@transaction.atomic
def create(*, by: User, name: str, guidelines: str = "", policy: Policy | None = None) -> Project:
    """Create a project owned by `by`; the guidelines become their first version."""
    if not name.strip():
        raise Invalid("a project needs a name")
    if Project.objects.filter(name=name).exists():
        raise Invalid("a project named {name!r} exists already", name=name)
    project = Project.objects.create(
        name=name,
        policy_values=(policy or Policy()).to_dict(),
        created_by=by,
    )
    Membership.objects.create(user=by, project=project, role=Role.OWNER)
    events.record(by=by, action="project created", project=project, subject=project.uid)
    if guidelines.strip():
        versions.publish(by=by, project=project, text=guidelines, based_on=0)
    return project


@transaction.atomic
def add_member(*, by: User, project: Project, user: User, role: Role) -> Membership:
    """Give the user a role, replacing an earlier one."""
    membership, _ = Membership.objects.update_or_create(
        user=user, project=project, defaults={"role": role}
    )
    events.record(
        by=by, action="member added", project=project, subject=user.username, role=str(role)
    )
    return membership


@transaction.atomic
def change_policy(
    *, by: User, project: Project, based_on: int | None = None, **changes: Any
) -> Project:
    """Change the policy and raise its version. Raise Invalid and, given `based_on`, Overtaken.

    `based_on`: the version that the asker had before them. What a change of DECIDING means for
    the decisions follows in a worker.
    """
    project = Project.objects.select_for_update().get(pk=project.pk)
    if based_on not in (None, project.policy_version):
        raise Overtaken("somebody changed the policy meanwhile; nothing of yours was saved")
    before = project.policy
    try:
        project.policy_values = replace(before, **changes).to_dict()
    except (PolicyError, TypeError) as error:
        raise Invalid(phrase_of(error)) from error
    project.policy_version += 1
    if any(getattr(before, name) != getattr(project.policy, name) for name in DECIDING):
        project.decided_from = project.policy_version
        decisions.ring(project=project)
    project.save(update_fields=["policy_values", "policy_version", "decided_from"])
    if before.human_overlap != project.policy.human_overlap:
        decisions.count_places(project=project)
    events.record(
        by=by,
        action="policy changed",
        project=project,
        subject=project.uid,
        version=project.policy_version,
        changes=project.policy.to_dict(),
    )
    return project


def machine() -> User:
    """Return the service account of the workers, made on first use; it cannot log in."""
    user, made = User.objects.get_or_create(username=MACHINE, defaults={"is_active": False})
    if made:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user
