"""Problems and solutions over the API: lists, one of them, many at once."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError as Unfit
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.api import lists
from labeling.api.authentication import caller
from labeling.api.base import Endpoint
from labeling.api.once import repeatable
from labeling.api.verdict_rows import VerdictOut
from labeling.domain.consensus import DecisionState
from labeling.domain.roles import Action, Role
from labeling.domain.statistics.bands import LENGTHS
from labeling.forms.solutions import RELATIONS, SaysField
from labeling.models import Problem, Solution
from labeling.selectors import catalog
from labeling.selectors import solutions as reads
from labeling.selectors.access import membership_for, project_for
from labeling.services import given_rows
from labeling.services.tokens import Scope

SPLITS = ("train", "test")


class ProblemOut(serializers.ModelSerializer[Problem]):
    class Meta:
        model = Problem
        fields = [
            "uid", "external_id", "statement", "answer", "source", "licence", "split", "created_at",
        ]  # fmt: skip


class DecisionShort(serializers.Serializer[Any]):
    """What the solution's verdicts come to; first errors count from 0, -1 is none."""

    state = serializers.ChoiceField(choices=[str(state) for state in DecisionState])
    first_error = serializers.IntegerField(allow_null=True)


class SolutionOut(serializers.ModelSerializer[Solution]):
    problem = serializers.CharField(source="problem.uid", help_text="The problem's uid.")
    decision = serializers.SerializerMethodField()

    class Meta:
        model = Solution
        fields = [
            "uid", "problem", "external_id", "steps", "generator", "final_answer",
            "final_answer_correct", "decision", "created_at",
        ]  # fmt: skip

    @extend_schema_field(DecisionShort(allow_null=True))
    def get_decision(self, solution: Solution) -> dict[str, Any]:
        """Return the decision; undecided while there is no row."""
        decided = reads.outcome_of(solution)
        return {"state": str(decided.state), "first_error": decided.first_error}


class SolutionWithVerdicts(serializers.Serializer[Any]):
    """One solution. While the caller is labeling it blind, `decision` and `verdicts` are null."""

    solution = SolutionOut()
    problem = ProblemOut()
    verdicts = VerdictOut(many=True, allow_null=True)


class ProblemQuery(lists.Query):
    source = serializers.CharField(required=False, max_length=120)  # type: ignore[assignment]
    split = serializers.ChoiceField(required=False, choices=SPLITS)
    external_id = serializers.CharField(required=False, max_length=200)


class _Says(serializers.CharField):
    """What a labeler says: a word of the page's filter, or a step counted from 1."""

    def to_internal_value(self, data: Any) -> str:
        """Return the checked text."""
        try:
            return SaysField(required=False, max_length=8).clean(super().to_internal_value(data))
        except Unfit as error:
            raise serializers.ValidationError(error.messages) from error


class SolutionQuery(lists.Query):
    problem = serializers.CharField(required=False, max_length=16, help_text="Its uid.")
    external_id = serializers.CharField(required=False, max_length=200)
    state = serializers.ChoiceField(
        required=False, choices=[str(state) for state in DecisionState], help_text="Of the decision"
    )
    mc = _Says(
        required=False,
        help_text="What the newest Monte-Carlo labeler says: `scored`, `none`, `error`, "
        "`unscored`, `refuted`, `missing`, or the first wrong step, counted from 1 (`13+`: later).",
    )
    judge = _Says(required=False, help_text="What the newest judge says, in the same words.")
    relation = serializers.ChoiceField(
        required=False, choices=[name for name, _ in RELATIONS], help_text="MC beside the judge."
    )
    answer = serializers.ChoiceField(required=False, choices=["right", "wrong", "unknown"])
    split = serializers.ChoiceField(required=False, choices=SPLITS)
    generator = serializers.CharField(required=False, max_length=200)
    source = serializers.CharField(required=False, max_length=120)  # type: ignore[assignment]
    length = serializers.ChoiceField(required=False, choices=list(LENGTHS), help_text="In steps.")


class _Text(serializers.CharField):
    """A text as it is: its blanks belong to it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)


class ProblemIn(serializers.Serializer[Any]):
    """One problem; without an answer it can only come with a solution."""

    problem = _Text(max_length=200_000, help_text="The statement.")
    answer = _Text(required=False, max_length=200_000, help_text="The reference answer.")
    problem_id = _Text(required=False, max_length=200, help_text="An id of your own.")
    source = _Text(required=False, max_length=120)  # type: ignore[assignment]
    licence = _Text(required=False, max_length=200)


class SolutionIn(ProblemIn):
    """One solution with its problem; problems that are there already are found."""

    steps = serializers.ListField(child=_Text(max_length=200_000), min_length=1, max_length=1000)
    solution_id = _Text(required=False, max_length=200, help_text="An id of your own.")
    generator = _Text(required=False, max_length=200, help_text="What or who wrote it.")
    final_answer_correct = serializers.BooleanField(required=False, allow_null=True)
    label = serializers.IntegerField(  # type: ignore[assignment]
        required=False,
        allow_null=True,
        min_value=-1,
        max_value=999,
        help_text="A person's first error, from 0; -1: none. See `labelled_by`.",
    )
    labelled_by = _Text(required=False, max_length=120, help_text="Whose label that is.")


class ProblemsIn(serializers.Serializer[Any]):
    rows = ProblemIn(many=True, min_length=1, max_length=given_rows.MOST)  # type: ignore[call-arg]


class SolutionsIn(serializers.Serializer[Any]):
    rows = SolutionIn(many=True, min_length=1, max_length=given_rows.MOST)  # type: ignore[call-arg]


class BroughtRow(serializers.Serializer[Any]):
    """What became of one row: uids, or the reason why it was refused."""

    problem = serializers.CharField(allow_null=True)
    solution = serializers.CharField(allow_null=True)
    refused = serializers.CharField(allow_null=True)


class BroughtOut(serializers.Serializer[Any]):
    """`rows` are in the order of the request's. Counts are of what is new."""

    rows = BroughtRow(many=True)
    problems = serializers.IntegerField()
    solutions = serializers.IntegerField()
    verdicts = serializers.IntegerField()
    filled = serializers.IntegerField(help_text="Rows whose empty fields got a value.")
    refused = serializers.IntegerField()


class Problems(Endpoint):
    """A project's problems."""

    scopes = {"POST": Scope.MANAGE}

    @extend_schema(parameters=[ProblemQuery], responses=lists.part_of(ProblemOut))
    def get(self, request: Request, uid: str) -> Response:
        """List problems, oldest first."""
        project = project_for(request.user, uid, Action.VIEW)
        query = lists.asked(request, ProblemQuery)
        part = catalog.problems(project, query.place, **query.filters)
        return lists.answer(request, part, ProblemOut)

    @extend_schema(request=ProblemsIn, responses=BroughtOut)
    @repeatable
    def post(self, request: Request, uid: str) -> Response:
        """Bring in up to 1000 problems. The same ones again add nothing."""
        return _bring_in(request, uid, ProblemsIn(data=request.data))


class OneProblem(Endpoint):
    """One problem."""

    @extend_schema(responses=ProblemOut)
    def get(self, request: Request, uid: str, problem: str) -> Response:
        """Return the problem."""
        project = project_for(request.user, uid, Action.VIEW)
        return Response(ProblemOut(catalog.problem_for(project, problem)).data)


class Solutions(Endpoint):
    """A project's solutions."""

    scopes = {"POST": Scope.MANAGE}

    @extend_schema(parameters=[SolutionQuery], responses=lists.part_of(SolutionOut))
    def get(self, request: Request, uid: str) -> Response:
        """List solutions, oldest first; what the caller is labeling blind is left out."""
        project = project_for(request.user, uid, Action.VIEW)
        query = lists.asked(request, SolutionQuery)
        part = catalog.solutions(project, caller(request), query.place, **query.filters)
        return lists.answer(request, part, SolutionOut)

    @extend_schema(request=SolutionsIn, responses=BroughtOut)
    @repeatable
    def post(self, request: Request, uid: str) -> Response:
        """Bring in up to 1000 solutions with their problems. The same ones again add nothing."""
        return _bring_in(request, uid, SolutionsIn(data=request.data))


class OneSolution(Endpoint):
    """One solution."""

    @extend_schema(responses=SolutionWithVerdicts)
    def get(self, request: Request, uid: str, solution: str) -> Response:
        """Return the solution with its problem and what the caller may see of its verdicts."""
        member = membership_for(request.user, uid, Action.VIEW)
        found = reads.solution_for(member.project, solution)
        kinds = reads.kinds_for(caller(request), Role(member.role), found)
        shown = dict(SolutionOut(found).data)
        verdicts = None
        if kinds:
            verdicts = VerdictOut(catalog.verdicts_on(found, kinds), many=True).data
        else:
            shown["decision"] = None
        problem = ProblemOut(found.problem).data
        return Response({"solution": shown, "problem": problem, "verdicts": verdicts})


def _bring_in(request: Request, uid: str, asked: serializers.Serializer[Any]) -> Response:
    project = project_for(request.user, uid, Action.MANAGE)
    asked.is_valid(raise_exception=True)
    done = given_rows.bring_in(
        by=caller(request), project=project, rows=asked.validated_data["rows"]
    )
    rows = [
        {"problem": None, "solution": None, "refused": row}
        if isinstance(row, str)
        else {"problem": row.problem, "solution": row.solution, "refused": None}
        for row in done.rows
    ]
    counts = {
        "problems": done.report.problems,
        "solutions": done.report.solutions,
        "verdicts": done.report.human_verdicts + done.report.machine_verdicts,
        "filled": done.report.filled,
        "refused": sum(isinstance(row, str) for row in done.rows),
    }
    return Response(BroughtOut({"rows": rows, **counts}).data)
