"""Runs over the API: ask what they would cost, start, watch and steer them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.api import lists
from labeling.api.authentication import caller
from labeling.api.base import Endpoint
from labeling.api.once import repeatable
from labeling.api.run_rows import (
    EngineOut,
    EngineWithOptions,
    EstimateOut,
    RetryIn,
    RunIn,
    RunOut,
    RunWithFailures,
)
from labeling.domain.roles import Action, can
from labeling.domain.run_settings import RunSettings, read
from labeling.domain.setting_checks import BadSetting
from labeling.models import Engine, Project, Run
from labeling.models.runs import RunKind, RunState
from labeling.selectors import catalog, run_choices
from labeling.selectors import runs as reads
from labeling.selectors.access import project_for, role_of
from labeling.selectors.estimates import estimate_of
from labeling.services import requests
from labeling.services import runs as service
from labeling.services.tokens import Scope

_MOVES: Mapping[str, Callable[..., Any]] = {
    "pause": service.pause,
    "resume": service.resume,
    "cancel": service.cancel,
}


class RunQuery(lists.Query):
    kind = serializers.ChoiceField(required=False, choices=[str(kind) for kind in RunKind])
    state = serializers.ChoiceField(required=False, choices=[str(state) for state in RunState])


class Runs(Endpoint):
    """A project's runs."""

    scopes = {"POST": Scope.RUN}

    @extend_schema(parameters=[RunQuery], responses=lists.part_of(RunOut))
    def get(self, request: Request, uid: str) -> Response:
        """List runs with their numbers, newest first."""
        project = project_for(request.user, uid, Action.VIEW)
        query = lists.asked(request, RunQuery)
        part = catalog.runs(project, query.place, **query.filters)
        rows = reads.rows_of(project, part.rows, timezone.now())
        return lists.answer(request, part, RunOut, rows)

    @extend_schema(request=RunIn, responses={201: RunOut, 200: RunOut})
    @repeatable
    def post(self, request: Request, uid: str) -> Response:
        """Start a run; 200 with the run alive where one has the same configuration."""
        project = project_for(request.user, uid, Action.MANAGE)
        engine, settings = _asked(project, request.data)
        alive = reads.alive_like(
            project, settings.kind, run_choices.with_weights(engine, settings).config()
        )
        run = requests.request(
            by=caller(request), project=project, engine=engine, settings=settings
        )
        return Response(RunOut(_row(run)).data, status=200 if alive == run else 201)


class RunEstimate(Endpoint):
    """What a run would cost."""

    @extend_schema(request=RunIn, responses=EstimateOut)
    def post(self, request: Request, uid: str) -> Response:
        """Estimate a run without starting it. Ranges are [low, high]."""
        project = project_for(request.user, uid, Action.MANAGE)
        engine, settings = _asked(project, request.data)
        return Response(EstimateOut(estimate_of(project, engine, settings)).data)


class OneRun(Endpoint):
    """One run."""

    @extend_schema(responses=RunWithFailures)
    def get(self, request: Request, uid: str, run: str) -> Response:
        """Return the run with its numbers and failures by reason."""
        project = project_for(request.user, uid, Action.VIEW)
        found = reads.run_for(project, run)
        failures = RunWithFailures().fields["failures"].to_representation(reads.failures_of(found))
        return Response({**RunOut(_row(found)).data, "failures": failures})


class MoveRun(Endpoint):
    """Steering a run."""

    scopes = {"POST": Scope.RUN}

    @extend_schema(
        operation_id="projects_runs_move",
        request=None,
        responses=RunOut,
        parameters=[OpenApiParameter("move", str, "path", enum=list(_MOVES))],
    )
    @repeatable
    def post(self, request: Request, uid: str, run: str, move: str) -> Response:
        """Pause, resume or cancel the run."""
        project = project_for(request.user, uid, Action.MANAGE)
        if move not in _MOVES:
            raise BadSetting(
                "move", "{move!r} is none of {moves}", move=move, moves=", ".join(_MOVES)
            )
        moved = _MOVES[move](by=caller(request), run=reads.run_for(project, run))
        return Response(RunOut(_row(reads.run_for(project, moved.uid))).data)


class RetryRun(Endpoint):
    """Asking again for what could not be scored."""

    scopes = {"POST": Scope.RUN}

    @extend_schema(request=RetryIn, responses=RunOut)
    @repeatable
    def post(self, request: Request, uid: str, run: str) -> Response:
        """Forget the unscored verdicts, or those with one reason, so that they are asked again."""
        project = project_for(request.user, uid, Action.MANAGE)
        asked = RetryIn(data=request.data)
        asked.is_valid(raise_exception=True)
        found = reads.run_for(project, run)
        service.retry_unscored(by=caller(request), run=found, reason=asked.validated_data["reason"])
        return Response(RunOut(_row(reads.run_for(project, run))).data)


class Engines(Endpoint):
    """The engines that runs can use."""

    @extend_schema(responses=EngineWithOptions(many=True))
    def get(self, request: Request, uid: str) -> Response:
        """List the engines with their prices; `options` are for managers alone."""
        project = project_for(request.user, uid, Action.VIEW)
        manages = can(role_of(request.user, project), Action.MANAGE)
        shown = EngineWithOptions if manages else EngineOut
        return Response(shown(run_choices.engines(), many=True).data)


def _asked(project: Project, data: Any) -> tuple[Engine | None, RunSettings]:
    """Return the engine and the settings that a body asks for; raise BadSetting."""
    body = RunIn(data=data)
    body.is_valid(raise_exception=True)
    values = dict(body.validated_data["settings"])
    engine = _engine(body.validated_data.get("engine", ""))
    if isinstance(values.get("template"), str) and body.validated_data["kind"] == "judge":
        values = run_choices.wording_of(project, values["template"]).settings | values
    if engine is not None:
        values = {"model": engine.model} | values
    return engine, read(body.validated_data["kind"], values)


def _engine(name: str) -> Engine | None:
    if not name:
        return None
    found = run_choices.engine_named(name)
    if found is None:
        raise BadSetting("engine", "there is no engine {name!r}", name=name)
    return found


def _row(run: Run) -> Any:
    (row,) = reads.rows_of(run.project, [run], timezone.now())
    return row
