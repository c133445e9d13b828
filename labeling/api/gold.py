"""Gold items and the exam over the API, for whoever manages the project."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.api.authentication import caller
from labeling.api.base import Endpoint
from labeling.api.numbers import ShareOut
from labeling.api.once import repeatable
from labeling.domain.assignments import GoldUse
from labeling.domain.refusals import Invalid
from labeling.domain.roles import Action
from labeling.models import Project
from labeling.selectors import exam_results
from labeling.selectors import gold_items as reads
from labeling.selectors.access import project_for
from labeling.selectors.members import member_named, members
from labeling.selectors.solutions import solution_for
from labeling.services import exams
from labeling.services import gold as service
from labeling.services.tokens import Scope

_USES = [str(use) for use in GoldUse]
_LONGEST = 4000


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

    @extend_schema_field(
        serializers.ListField(
            child=serializers.ListField(child=serializers.IntegerField(allow_null=True))
        )
    )
    def get_answers(self, found: reads.Gold) -> list[list[int | None]]:
        """Return [first error, people], the most frequent first."""
        return [[said, n] for said, n in found.ranked]


class GoldIn(serializers.Serializer[Any]):
    """A solution to make gold. `first_error`: where no adjudicator has decided yet."""

    solution = serializers.CharField(max_length=40, help_text="Its uid.")
    use = serializers.ChoiceField(choices=_USES)
    first_error = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=-1, max_value=10_000
    )
    explanation = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=_LONGEST,
        help_text="Shown to people once their exam is over.",
    )  # fmt: skip


class GoldChange(serializers.Serializer[Any]):
    """What is missing stays. `active` false retires the item; answers to it still count."""

    use = serializers.ChoiceField(required=False, choices=_USES)
    explanation = serializers.CharField(required=False, allow_blank=True, max_length=_LONGEST)
    active = serializers.BooleanField(required=False)


class SampleIn(serializers.Serializer[Any]):
    """Make random solutions gold whose key is what this labeler (people's, or a key) said."""

    labeler = serializers.CharField(max_length=40, help_text="Its uid.")
    count = serializers.IntegerField(min_value=1, max_value=service.SAMPLE_LIMIT)
    use = serializers.ChoiceField(choices=_USES)
    seed = serializers.IntegerField(required=False, default=1, min_value=0, max_value=2**31 - 1)


class SampleOut(serializers.Serializer[Any]):
    made = serializers.IntegerField()


class ExamineeOut(serializers.Serializer[Any]):
    """How far one person is. `attempts` counts the current one."""

    user = serializers.CharField()
    items = serializers.IntegerField(source="one.standing.required")
    answered = serializers.IntegerField(source="one.standing.answered")
    right = serializers.IntegerField(source="one.standing.right")
    passed = serializers.BooleanField(source="one.standing.passed")
    failed = serializers.BooleanField(source="one.standing.failed")
    attempts = serializers.IntegerField(source="one.attempts")
    last_at = serializers.DateTimeField(source="one.last_at", allow_null=True)


class GrantIn(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=2000)


class Gold(Endpoint):
    """The project's gold items."""

    scopes = {"POST": Scope.MANAGE}

    @extend_schema(responses=GoldOut(many=True))
    def get(self, request: Request, uid: str) -> Response:
        """Return the gold items with what people answered, doubtful keys first."""
        project = project_for(request.user, uid, Action.MANAGE)
        return Response(GoldOut(reads.gold_items(project), many=True).data)

    @extend_schema(request=GoldIn, responses={201: GoldOut})
    @repeatable
    def post(self, request: Request, uid: str) -> Response:
        """Make a solution gold; `first_error` becomes an adjudication where there is none."""
        project = project_for(request.user, uid, Action.MANAGE)
        given = _given(GoldIn, request)
        found = solution_for(project, given.pop("solution"))
        given["use"] = GoldUse(given["use"])
        service.add(by=caller(request), solution=found, **given)
        return Response(GoldOut(reads.gold_of(found)).data, status=201)


class SampleGold(Endpoint):
    """Many gold items at once."""

    scopes = {"POST": Scope.MANAGE}

    @extend_schema(request=SampleIn, responses={201: SampleOut})
    @repeatable
    def post(self, request: Request, uid: str) -> Response:
        """Make so many random solutions of a labeler gold; the same seed draws the same ones."""
        project = project_for(request.user, uid, Action.MANAGE)
        given = _given(SampleIn, request)
        labeler = reads.source_for(project, given.pop("labeler"))
        if labeler is None:
            raise Invalid("labeler: the project has no labeler of this uid whose labels are keys")
        given["use"] = GoldUse(given["use"])
        made = service.add_sample(by=caller(request), project=project, labeler=labeler, **given)
        return Response({"made": made}, status=201)


class OneGold(Endpoint):
    """One gold item, by its solution."""

    scopes = {"PATCH": Scope.MANAGE}

    @extend_schema(request=GoldChange, responses=GoldOut)
    def patch(self, request: Request, uid: str, solution: str) -> Response:
        """Change where the item serves or its explanation, or retire it."""
        project = project_for(request.user, uid, Action.MANAGE)
        item = reads.item_for(project, solution)
        given = _given(GoldChange, request)
        service.change(
            by=caller(request),
            item=item,
            use=GoldUse(given.get("use", item.use)),
            explanation=given.get("explanation", item.explanation),
            active=given.get("active", item.active),
        )
        return Response(GoldOut(reads.gold_of(item.solution)).data)


class Examinees(Endpoint):
    """The exam. Its size and what passes are the policy's `exam_items`, `exam_pass_share`."""

    @extend_schema(responses=ExamineeOut(many=True))
    def get(self, request: Request, uid: str) -> Response:
        """List who has begun the exam, by name, and how far they are."""
        project = project_for(request.user, uid, Action.MANAGE)
        return Response(ExamineeOut(_examinees(project), many=True).data)


class GrantExam(Endpoint):
    """Another attempt."""

    scopes = {"POST": Scope.MANAGE}

    @extend_schema(request=GrantIn, responses={201: ExamineeOut})
    @repeatable
    def post(self, request: Request, uid: str, user: str) -> Response:
        """Let a member who failed take the exam once more, with items that they never saw."""
        project = project_for(request.user, uid, Action.MANAGE)
        found = member_named(project, user)
        reason = _given(GrantIn, request)["reason"]
        exams.grant(by=caller(request), project=project, user=found, reason=reason)
        row = next(row for row in _examinees(project) if row["user"] == found.username)
        return Response(ExamineeOut(row).data, status=201)


def _examinees(project: Project) -> list[dict[str, Any]]:
    found = exam_results.examinees(project)
    return [
        {"user": member.username, "one": found[member.id]}
        for member in members(project)
        if member.id in found
    ]


def _given(form: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    asked = form(data=request.data)
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)
