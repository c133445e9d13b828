"""Labelers and verdicts over the API."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.api import lists
from labeling.api.authentication import caller
from labeling.api.base import Endpoint
from labeling.api.once import repeatable
from labeling.api.verdict_rows import LabelerOut, TakenOut, VerdictOut, VerdictsIn
from labeling.domain.labels import LabelerKind, VerdictState
from labeling.domain.roles import Action, Role
from labeling.language import said
from labeling.selectors import catalog
from labeling.selectors.access import membership_for, project_for
from labeling.services import given_verdicts
from labeling.services.tokens import Scope

_KINDS = [str(kind) for kind in LabelerKind]


class LabelerQuery(lists.Query):
    kind = serializers.ChoiceField(required=False, choices=_KINDS)
    active = serializers.BooleanField(required=False)


class VerdictQuery(lists.Query):
    solution = serializers.CharField(required=False, max_length=16, help_text="Its uid.")
    labeler = serializers.CharField(required=False, max_length=16, help_text="Its uid.")
    kind = serializers.ChoiceField(required=False, choices=_KINDS)
    state = serializers.ChoiceField(required=False, choices=[str(s) for s in VerdictState])
    first_error = serializers.IntegerField(required=False, min_value=-1, max_value=999)


_COLUMNS = {
    "solution": "solution__uid",
    "state": "state",
    "first_error": "first_error",
}
_OF_LABELERS = {"labeler": "uid", "kind": "kind"}


class Labelers(Endpoint):
    """A project's labelers."""

    @extend_schema(parameters=[LabelerQuery], responses=lists.part_of(LabelerOut))
    def get(self, request: Request, uid: str) -> Response:
        """List the labelers, oldest first; gold keys for those who manage alone."""
        member = membership_for(request.user, uid, Action.VIEW)
        query = lists.asked(request, LabelerQuery)
        part = catalog.labelers(member.project, Role(member.role), query.place, **query.filters)
        return lists.answer(request, part, LabelerOut)


class Verdicts(Endpoint):
    """A project's verdicts."""

    scopes = {"POST": Scope.MANAGE}

    @extend_schema(parameters=[VerdictQuery], responses=lists.part_of(VerdictOut))
    def get(self, request: Request, uid: str) -> Response:
        """List verdicts, oldest first; those on what the caller is labeling blind are left out."""
        member = membership_for(request.user, uid, Action.VIEW)
        query = lists.asked(request, VerdictQuery)
        equal, by = (
            {known[name]: value for name, value in query.filters.items() if name in known}
            for known in (_COLUMNS, _OF_LABELERS)
        )
        part = catalog.verdicts(
            member.project, caller(request), Role(member.role), query.place, by, **equal
        )
        return lists.answer(request, part, VerdictOut)

    @extend_schema(request=VerdictsIn, responses=TakenOut)
    @repeatable
    def post(self, request: Request, uid: str) -> Response:
        """Bring in up to 1000 verdicts of a labeler of your own: a judge, a PRM, a gold key.

        A person's own labels come through assignments.
        """
        project = project_for(request.user, uid, Action.MANAGE)
        asked = VerdictsIn(data=request.data)
        asked.is_valid(raise_exception=True)
        labeler = asked.validated_data["labeler"]
        done = given_verdicts.take(
            by=caller(request),
            project=project,
            kind=LabelerKind(labeler["kind"]),
            name=labeler["name"],
            config=labeler["config"],
            given=asked.validated_data["verdicts"],
        )
        refused = [{"index": index, "message": said(why)} for index, why in done.refused]
        values = {"labeler": done.labeler.uid, "created": done.created, "known": done.known}
        return Response(TakenOut({**values, "refused": refused}).data)
