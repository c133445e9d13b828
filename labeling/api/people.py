"""Numbers about people and gold items over the API, for whoever manages the project."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from labeling.api.authentication import HasScope
from labeling.domain.roles import Action
from labeling.domain.statistics.intervals import Interval, Proportion
from labeling.domain.statistics.undefined import known
from labeling.selectors import gold_items
from labeling.selectors.access import project_for
from labeling.selectors.people import people
from labeling.services.tokens import Scope


class ShareOut(serializers.Serializer[Any]):
    """A share with its count and 95 % interval; null where nothing was counted."""

    part = serializers.IntegerField()
    whole = serializers.IntegerField()
    value = serializers.SerializerMethodField("share_of")
    interval = serializers.SerializerMethodField()

    def share_of(self, found: Proportion) -> float | None:
        """Return the share."""
        return known(found.value)

    def get_interval(self, found: Proportion) -> list[float] | None:
        """Return [low, high]."""
        ends = found.interval
        return [ends.low, ends.high] if isinstance(ends, Interval) else None


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


class GoldOut(serializers.Serializer[Any]):
    """One gold item; steps count from 0, -1 is no error, null in `answers`: reported."""

    solution = serializers.CharField(source="uid")
    use = serializers.CharField()
    active = serializers.BooleanField()
    key = serializers.IntegerField(allow_null=True)
    right = ShareOut()
    doubtful = serializers.BooleanField()
    answers = serializers.SerializerMethodField()
    explanation = serializers.CharField()

    def get_answers(self, found: gold_items.Gold) -> list[list[int | None]]:
        """Return [first error, people], the most frequent first."""
        return [[said, n] for said, n in found.ranked]


class People(APIView):
    """The project's annotators."""

    permission_classes = [HasScope]
    scope = Scope.READ

    @extend_schema(
        parameters=[OpenApiParameter("days", int, description="look back so many days, 1 to 3650")],
        responses=PersonOut(many=True),
    )
    def get(self, request: Request, uid: str) -> Response:
        """Return everybody's accuracy, agreement and pace."""
        project = project_for(request.user, uid, Action.MANAGE)
        asked = _Period(data=request.query_params)
        asked.is_valid(raise_exception=True)
        days = asked.validated_data.get("days")
        since = timezone.now() - timedelta(days=days) if days else None
        return Response(PersonOut(people(project, since), many=True).data)


class Gold(APIView):
    """The project's gold items."""

    permission_classes = [HasScope]
    scope = Scope.READ

    @extend_schema(responses=GoldOut(many=True))
    def get(self, request: Request, uid: str) -> Response:
        """Return the gold items with what people answered, doubtful keys first."""
        project = project_for(request.user, uid, Action.MANAGE)
        return Response(GoldOut(gold_items.gold_items(project), many=True).data)


class _Period(serializers.Serializer[Any]):
    days = serializers.IntegerField(required=False, min_value=1, max_value=3650)
