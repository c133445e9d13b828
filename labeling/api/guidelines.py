"""A project's guidelines over the API: their versions, and the next one."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.api.authentication import caller
from labeling.api.base import Endpoint
from labeling.api.once import repeatable
from labeling.domain.refusals import NotAllowed
from labeling.domain.roles import Action
from labeling.models import Guideline, Project
from labeling.models.guidelines import LONGEST
from labeling.selectors import guidelines as reads
from labeling.selectors.access import project_for
from labeling.services import guidelines as service
from labeling.services.tokens import Scope


class VersionOut(serializers.ModelSerializer[Guideline]):
    """One version. `change`: what its author says has changed."""

    created_by = serializers.CharField(source="created_by.username")

    class Meta:
        model = Guideline
        fields = ["version", "change", "needs_acknowledgement", "created_at", "created_by"]


class GuidelinesOut(VersionOut):
    """One version with its text, in Markdown."""

    class Meta(VersionOut.Meta):
        fields = [*VersionOut.Meta.fields, "text"]


class GuidelinesIn(serializers.Serializer[Any]):
    """The next version. `based_on`: the version that its author had before them, 0 for none."""

    text = serializers.CharField(max_length=LONGEST, trim_whitespace=False)
    based_on = serializers.IntegerField(min_value=0, max_value=2**31 - 2)
    change = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=400,
        help_text="A sentence for annotators; needed from the second version on.",
    )  # fmt: skip
    needs_acknowledgement = serializers.BooleanField(
        required=False, default=True, help_text="Nobody labels before having read it."
    )


class Guidelines(Endpoint):
    """The project's guidelines."""

    scopes = {"POST": Scope.MANAGE}

    @extend_schema(responses=VersionOut(many=True))
    def get(self, request: Request, uid: str) -> Response:
        """List the versions, the one that holds first, without their texts."""
        return Response(VersionOut(reads.history(_readable(request, uid)), many=True).data)

    @extend_schema(request=GuidelinesIn, responses={201: GuidelinesOut})
    @repeatable
    def post(self, request: Request, uid: str) -> Response:
        """Publish the next version; 409 where somebody published another one meanwhile."""
        project = project_for(request.user, uid, Action.MANAGE)
        asked = GuidelinesIn(data=request.data)
        asked.is_valid(raise_exception=True)
        made = service.publish(by=caller(request), project=project, **asked.validated_data)
        return Response(GuidelinesOut(made).data, status=201)


class OneGuideline(Endpoint):
    """One version of the guidelines."""

    @extend_schema(responses=GuidelinesOut)
    def get(self, request: Request, uid: str, version: int) -> Response:
        """Return the version with its text."""
        return Response(GuidelinesOut(reads.version_of(_readable(request, uid), version)).data)


def _readable(request: Request, uid: str) -> Project:
    """Return the project for whoever labels in it or may view it."""
    try:
        return project_for(request.user, uid, Action.ANNOTATE)
    except NotAllowed:
        return project_for(request.user, uid, Action.VIEW)
