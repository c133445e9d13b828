"""Numbers about people over the API, for whoever manages the project."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.api.base import Endpoint
from labeling.api.lists import Known, asked
from labeling.api.numbers import ShareOut
from labeling.domain.roles import Action
from labeling.selectors.access import project_for
from labeling.selectors.people import people


class AccuracyOut(serializers.Serializer[Any]):
    """A person's first errors against keys."""

    exact = ShareOut()
    within_one = ShareOut()
    outcomes = serializers.DictField(child=serializers.IntegerField())
    rejected = serializers.IntegerField()


class PaceOut(serializers.Serializer[Any]):
    """What a person did, in items; medians in active seconds."""

    submitted = serializers.IntegerField()
    rejected = serializers.IntegerField()
    skipped = serializers.IntegerField()
    given_up = serializers.IntegerField()
    noted = serializers.IntegerField()
    median_item = serializers.FloatField(allow_null=True)
    median_step = serializers.FloatField(allow_null=True)
    fast = ShareOut()


class PersonOut(serializers.Serializer[Any]):
    """One annotator. `labeler` is empty before the first submission; `role` null: left."""

    name = serializers.CharField()
    labeler = serializers.CharField(source="uid")
    role = serializers.CharField(allow_null=True)
    exam = AccuracyOut()
    gold = AccuracyOut()
    adjudication = AccuracyOut()
    same_as_others = ShareOut(source="alike")
    pace = PaceOut()


class PeopleQuery(Known):
    days = serializers.IntegerField(
        required=False, min_value=1, max_value=3650, help_text="Look back so many days."
    )


class People(Endpoint):
    """The project's annotators."""

    @extend_schema(parameters=[PeopleQuery], responses=PersonOut(many=True))
    def get(self, request: Request, uid: str) -> Response:
        """Return everybody's accuracy, agreement and pace."""
        project = project_for(request.user, uid, Action.MANAGE)
        days = asked(request, PeopleQuery).validated_data.get("days")
        since = timezone.now() - timedelta(days=days) if days else None
        return Response(PersonOut(people(project, since), many=True).data)
