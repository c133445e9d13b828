"""Decisions over the API: what the verdicts come to, and an adjudicator's own word."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.api import lists
from labeling.api.authentication import caller
from labeling.api.base import Endpoint
from labeling.api.once import repeatable
from labeling.domain.adjudication import Cause
from labeling.domain.assignments import RejectReason
from labeling.domain.consensus import DecisionState
from labeling.domain.refusals import Invalid
from labeling.domain.roles import Action
from labeling.models import Decision
from labeling.selectors import catalog
from labeling.selectors import solutions as reads
from labeling.selectors.access import project_for
from labeling.services import adjudications
from labeling.services.tokens import Scope

_STATES = [str(state) for state in DecisionState]


class DecisionOut(serializers.ModelSerializer[Decision]):
    solution = serializers.CharField(source="solution.uid", help_text="The solution's uid.")
    cause = serializers.CharField(help_text="Why an adjudicator is needed; empty: none is.")

    class Meta:
        model = Decision
        fields = [
            "solution", "state", "first_error", "cause", "policy_version", "priority", "updated_at",
        ]  # fmt: skip


class DecisionQuery(lists.Query):
    solution = serializers.CharField(required=False, max_length=16, help_text="Its uid.")
    state = serializers.ChoiceField(required=False, choices=_STATES)
    cause = serializers.ChoiceField(required=False, choices=[str(c) for c in Cause])


class DecisionIn(serializers.Serializer[Any]):
    """An adjudicator's verdict, which outranks all others: a first error, or `discard`."""

    solution = serializers.CharField(max_length=16, help_text="The solution's uid.")
    first_error = serializers.IntegerField(
        required=False, min_value=-1, max_value=999, help_text="From 0; -1: there is no error."
    )
    discard = serializers.ChoiceField(
        required=False,
        choices=[str(reason) for reason in RejectReason],
        help_text="Why it cannot be labeled; `other` needs a reason.",
    )
    reason = serializers.CharField(required=False, allow_blank=True, max_length=4000, default="")
    key = serializers.UUIDField(
        required=False, help_text="The same key again returns the same verdict."
    )


class Decisions(Endpoint):
    """A project's decisions."""

    scopes = {"POST": Scope.LABEL}

    @extend_schema(parameters=[DecisionQuery], responses=lists.part_of(DecisionOut))
    def get(self, request: Request, uid: str) -> Response:
        """List decisions in the solutions' order; what the caller labels blind is left out."""
        project = project_for(request.user, uid, Action.VIEW)
        query = lists.asked(request, DecisionQuery)
        equal = dict(query.filters)
        if "solution" in equal:
            equal["solution__uid"] = equal.pop("solution")
        part = catalog.decisions(project, caller(request), query.place, **equal)
        return lists.answer(request, part, DecisionOut)

    @extend_schema(request=DecisionIn, responses=DecisionOut)
    @repeatable
    def post(self, request: Request, uid: str) -> Response:
        """Adjudicate a solution, or discard it, in the caller's name."""
        project = project_for(request.user, uid, Action.ADJUDICATE)
        asked = DecisionIn(data=request.data)
        asked.is_valid(raise_exception=True)
        values = asked.validated_data
        solution = reads.solution_for(project, values["solution"])
        common: dict[str, Any] = {
            "by": caller(request),
            "solution": solution,
            "key": values.get("key") or uuid4(),
            "reason": values["reason"],
        }
        if ("discard" in values) == ("first_error" in values):
            raise Invalid("first_error: either it or discard is expected")
        if "discard" in values:
            adjudications.discard(code=RejectReason(values["discard"]), **common)
        else:
            adjudications.submit(first_error=values["first_error"], **common)
        decision = Decision.objects.select_related("solution").get(solution=solution)
        return Response(DecisionOut(decision).data)
