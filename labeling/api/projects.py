"""Who calls, and their projects."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.api import lists
from labeling.api.authentication import caller
from labeling.api.base import Endpoint
from labeling.api.once import repeatable
from labeling.domain.phrases import phrase_of
from labeling.domain.policy import Policy, PolicyError
from labeling.domain.refusals import Invalid, NotAllowed
from labeling.domain.roles import Action, Role, can
from labeling.models import ApiToken, Membership
from labeling.selectors import catalog
from labeling.selectors.access import membership_for
from labeling.services import projects
from labeling.services.tokens import Scope


class MeOut(serializers.Serializer[Any]):
    """Who the caller is. Without a token (a browser's session) the last three are null."""

    user = serializers.CharField()
    token = serializers.CharField(allow_null=True, help_text="The token's name.")
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=[str(s) for s in Scope]), allow_null=True
    )
    expires_at = serializers.DateTimeField(allow_null=True)


class ProjectOut(serializers.Serializer[Any]):
    """One project of the caller. `policy`: for roles that may view the project's data."""

    uid = serializers.CharField(source="project.uid")
    name = serializers.CharField(source="project.name")
    role = serializers.ChoiceField(choices=[str(role) for role in Role])
    policy = serializers.SerializerMethodField()
    policy_version = serializers.IntegerField(source="project.policy_version")
    created_at = serializers.DateTimeField(source="project.created_at")

    def get_policy(self, row: Membership) -> dict[str, Any] | None:
        """Return the policy; who is measured by it does not see it."""
        shown = can(Role(row.role), Action.VIEW)
        return row.project.policy.to_dict() if shown else None


class ProjectIn(serializers.Serializer[Any]):
    """A new project. `policy`: fields of docs/queue.md; what is missing takes its default."""

    name = serializers.CharField(max_length=120)
    guidelines = serializers.CharField(required=False, allow_blank=True, max_length=100_000)


class PolicyIn(serializers.Serializer[Any]):
    """Changes of the policy. `based_on`: the policy version that you have before you."""

    changes = serializers.DictField(help_text="Fields with their new values.")
    based_on = serializers.IntegerField(required=False, min_value=1, max_value=2**31 - 1)


class Me(Endpoint):
    """The smallest authenticated call."""

    @extend_schema(responses=MeOut)
    def get(self, request: Request) -> Response:
        """Say who the caller is, and what the token may do."""
        token = request.auth if isinstance(request.auth, ApiToken) else None
        values = {
            "user": caller(request).get_username(),
            "token": token.name if token else None,
            "scopes": token.scopes if token else None,
            "expires_at": token.expires_at if token else None,
        }
        return Response(MeOut(values).data)


class Projects(Endpoint):
    """The caller's projects."""

    scopes = {"POST": Scope.MANAGE}

    @extend_schema(parameters=[lists.Query], responses=lists.part_of(ProjectOut))
    def get(self, request: Request) -> Response:
        """List the projects that the caller is a member of."""
        query = lists.asked(request, lists.Query)
        return lists.answer(request, catalog.memberships(caller(request), query.place), ProjectOut)

    @extend_schema(request=ProjectIn, responses={201: ProjectOut})
    @repeatable
    def post(self, request: Request) -> Response:
        """Make a project, which staff may; the caller becomes its owner."""
        user = caller(request)
        if not user.is_staff:
            raise NotAllowed("only staff may make projects: ask whoever runs this server")
        asked = ProjectIn(data=request.data)
        asked.is_valid(raise_exception=True)
        made = projects.create(by=user, **asked.validated_data)
        return Response(_shown(request, made.uid), status=201)


class OneProject(Endpoint):
    """One project."""

    scopes = {"PATCH": Scope.MANAGE}

    @extend_schema(responses=ProjectOut)
    def get(self, request: Request, uid: str) -> Response:
        """Return the project with the caller's role and, where they may see it, its policy."""
        return Response(_shown(request, uid))

    @extend_schema(request=PolicyIn, responses=ProjectOut)
    def patch(self, request: Request, uid: str) -> Response:
        """Change the policy: fields that are not named stay as they are."""
        member = membership_for(request.user, uid, Action.ADMINISTER)
        asked = PolicyIn(data=request.data)
        asked.is_valid(raise_exception=True)
        projects.change_policy(
            by=caller(request),
            project=member.project,
            based_on=asked.validated_data.get("based_on"),
            **_typed(member.project.policy, asked.validated_data["changes"]),
        )
        return Response(_shown(request, uid))


def _typed(policy: Policy, changes: dict[str, Any]) -> dict[str, Any]:
    """Return the changes as the policy's own types; raise Invalid."""
    try:
        merged = Policy.from_dict({**policy.to_dict(), **changes})
    except PolicyError as error:
        raise Invalid(phrase_of(error)) from error
    return {name: value for name, value in asdict(merged).items() if name in changes}


def _shown(request: Request, uid: str) -> Any:
    return ProjectOut(membership_for(request.user, uid, None)).data
