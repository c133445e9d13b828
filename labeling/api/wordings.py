"""Judges' wordings over the API: the built-in ones, and a project's own by version."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.api.authentication import caller
from labeling.api.base import Endpoint
from labeling.api.once import repeatable
from labeling.domain.judging import ReplyForm
from labeling.domain.roles import Action
from labeling.domain.setting_checks import LONGEST
from labeling.selectors import judging as reads
from labeling.selectors.access import project_for
from labeling.services import judging as service
from labeling.services.tokens import Scope

_REPLIES = [str(form) for form in ReplyForm]


class WordingOut(serializers.Serializer[Any]):
    """One version. `name` is the `template` of a run's settings; `own`: it is the project's."""

    name = serializers.CharField()
    text = serializers.CharField()
    reply = serializers.ChoiceField(choices=_REPLIES)
    own = serializers.BooleanField()
    created_by = serializers.CharField(source="by", help_text="Empty: built in.")
    created_at = serializers.DateTimeField(source="at", allow_null=True)


class WordingIn(serializers.Serializer[Any]):
    """A text with {problem} and {solution}, once each; `name` goes without a version."""

    name = serializers.SlugField(max_length=60)
    text = serializers.CharField(max_length=LONGEST["text"], trim_whitespace=False)
    reply = serializers.ChoiceField(choices=_REPLIES)


class Wordings(Endpoint):
    """The wordings that judges of this project can be asked with."""

    scopes = {"POST": Scope.MANAGE}

    @extend_schema(responses=WordingOut(many=True))
    def get(self, request: Request, uid: str) -> Response:
        """List the built-in wordings and the newest version of each of the project's."""
        project = project_for(request.user, uid, Action.VIEW)
        return Response(WordingOut([*reads.built_in(), *reads.own(project)], many=True).data)

    @extend_schema(request=WordingIn, responses={201: WordingOut, 200: WordingOut})
    @repeatable
    def post(self, request: Request, uid: str) -> Response:
        """Store the next version; 200 with the newest one where that says the same."""
        project = project_for(request.user, uid, Action.MANAGE)
        asked = WordingIn(data=request.data)
        asked.is_valid(raise_exception=True)
        given = {**asked.validated_data, "reply": ReplyForm(asked.validated_data["reply"])}
        prompt, made = service.save_wording(by=caller(request), project=project, **given)
        shown = WordingOut(reads.wording_for(project, str(prompt))).data
        return Response(shown, status=201 if made else 200)


class OneWording(Endpoint):
    """One version of a wording."""

    @extend_schema(responses=WordingOut)
    def get(self, request: Request, uid: str, name: str) -> Response:
        """Return the wording of this name, such as `paper-v1`."""
        project = project_for(request.user, uid, Action.VIEW)
        return Response(WordingOut(reads.wording_for(project, name)).data)
