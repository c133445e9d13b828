"""Members of a project over the API: who is in, as what; invitations."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.api.authentication import caller
from labeling.api.base import Endpoint
from labeling.api.once import repeatable, repeatable_without
from labeling.domain.roles import Action, Role
from labeling.models import Project
from labeling.selectors import members as reads
from labeling.selectors.access import project_for
from labeling.services import accounts
from labeling.services import members as service
from labeling.services.tokens import Scope

_GIVEN = [str(role) for role in Role if role is not Role.SERVICE]


class MemberOut(serializers.Serializer[Any]):
    """A member. `invited_until`: no password is set yet, and the link is good until then."""

    user = serializers.CharField(source="username")
    role = serializers.ChoiceField(choices=[str(role) for role in Role])
    since = serializers.DateTimeField()
    last_login = serializers.DateTimeField(allow_null=True)
    invited_until = serializers.DateTimeField(allow_null=True)


class RoleIn(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=_GIVEN)


class MemberIn(RoleIn):
    """`user`: the name of somebody's account."""

    user = serializers.CharField(max_length=150)


class InvitationOut(serializers.Serializer[Any]):
    """`url` is where the person sets a password, for whoever has it, once."""

    user = serializers.CharField()
    role = serializers.ChoiceField(choices=_GIVEN)
    url = serializers.URLField()
    expires_at = serializers.DateTimeField()


class Members(Endpoint):
    """The project's members."""

    scopes = {"GET": Scope.MANAGE, "POST": Scope.MANAGE}

    @extend_schema(responses=MemberOut(many=True))
    def get(self, request: Request, uid: str) -> Response:
        """List the members by name, for whoever administers the project."""
        project = project_for(request.user, uid, Action.ADMINISTER)
        return Response(MemberOut(reads.members(project), many=True).data)

    @extend_schema(request=MemberIn, responses={201: MemberOut})
    @repeatable
    def post(self, request: Request, uid: str) -> Response:
        """Add somebody who has an account; others are invited (`invitations`)."""
        project = project_for(request.user, uid, Action.ADMINISTER)
        asked = MemberIn(data=request.data)
        asked.is_valid(raise_exception=True)
        name = asked.validated_data["user"]
        role = Role(asked.validated_data["role"])
        service.add(by=caller(request), project=project, username=name, role=role)
        return Response(_shown(project, name.strip()), status=201)


class OneMember(Endpoint):
    """One member, by name."""

    scopes = {"PATCH": Scope.MANAGE, "DELETE": Scope.MANAGE, "GET": Scope.MANAGE}

    @extend_schema(responses=MemberOut)
    def get(self, request: Request, uid: str, user: str) -> Response:
        """Return the member."""
        project = project_for(request.user, uid, Action.ADMINISTER)
        return Response(_shown(project, reads.member_named(project, user).username))

    @extend_schema(request=RoleIn, responses=MemberOut)
    def patch(self, request: Request, uid: str, user: str) -> Response:
        """Give the member another role; the last owner stays one (409)."""
        project = project_for(request.user, uid, Action.ADMINISTER)
        asked = RoleIn(data=request.data)
        asked.is_valid(raise_exception=True)
        found = reads.member_named(project, user)
        role = Role(asked.validated_data["role"])
        service.set_role(by=caller(request), project=project, user=found, role=role)
        return Response(_shown(project, found.username))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, uid: str, user: str) -> Response:
        """End the membership; the person's labels stay, and so does the last owner (409)."""
        project = project_for(request.user, uid, Action.ADMINISTER)
        found = reads.member_named(project, user)
        service.remove(by=caller(request), project=project, user=found)
        return Response(status=204)


def _invite_again(
    _view: Any, request: Request, _kept: dict[str, Any], *, uid: str
) -> dict[str, Any]:
    made = _invited(request, project_for(request.user, uid, Action.ADMINISTER))
    return {name: made[name] for name in ("url", "expires_at")}


class Invitations(Endpoint):
    """Links by which people without an account come in."""

    scopes = {"POST": Scope.MANAGE}

    @extend_schema(request=MemberIn, responses={201: InvitationOut})
    @repeatable_without(("url", "expires_at"), _invite_again)
    def post(self, request: Request, uid: str) -> Response:
        """Make an account with a role here; its link is in this answer only.

        Asked again before the link is used, it makes a new link, and the earlier one ends.
        """
        project = project_for(request.user, uid, Action.ADMINISTER)
        return Response(_invited(request, project), status=201)


def _invited(request: Request, project: Project) -> dict[str, Any]:
    asked = MemberIn(data=request.data)
    asked.is_valid(raise_exception=True)
    now = timezone.now()
    plain = accounts.invite(
        by=caller(request),
        project=project,
        username=asked.validated_data["user"],
        role=Role(asked.validated_data["role"]),
        now=now,
    )
    url = request.build_absolute_uri(reverse("welcome", args=[plain]))
    return {**asked.validated_data, "url": url, "expires_at": now + accounts.GOOD_FOR}


def _shown(project: Project, username: str) -> Any:
    found = next(one for one in reads.members(project) if one.username == username)
    return MemberOut(found).data
