"""Reward models and their trainings over the API."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.api import lists
from labeling.api.authentication import caller
from labeling.api.base import Endpoint
from labeling.api.once import repeatable
from labeling.domain.roles import Action
from labeling.models import PRM, TrainingRun
from labeling.models.rewards import TrainingState
from labeling.selectors import catalog
from labeling.selectors.access import project_for
from labeling.services import training as service
from labeling.services.tokens import Scope


class ModelOut(serializers.ModelSerializer[PRM]):
    name = serializers.CharField(source="training_run.name")
    training = serializers.CharField(source="training_run.uid", help_text="The training's uid.")
    snapshot = serializers.CharField(source="training_run.snapshot.uid", help_text="Its uid.")
    metrics = serializers.DictField(help_text="Of the evaluation; `f1` at the threshold 0.5.")
    promoted_by = serializers.CharField(
        source="promoted_by.username", default=None, allow_null=True, read_only=True
    )

    class Meta:
        model = PRM
        fields = [
            "uid", "name", "training", "snapshot", "metrics", "champion", "promoted_at",
            "promoted_by", "created_at",
        ]  # fmt: skip


class TrainingOut(serializers.ModelSerializer[TrainingRun]):
    snapshot = serializers.CharField(source="snapshot.uid", help_text="The snapshot's uid.")
    evaluation_set = serializers.CharField(
        source="evaluation_set.uid", default=None, allow_null=True, read_only=True
    )
    model = serializers.CharField(
        source="prm.uid", default=None, allow_null=True, read_only=True, help_text="Once done."
    )
    config = serializers.DictField()
    progress = serializers.DictField()

    class Meta:
        model = TrainingRun
        fields = [
            "uid", "name", "state", "reason", "snapshot", "evaluation_set", "model", "config",
            "progress", "seconds", "created_at", "finished_at",
        ]  # fmt: skip


class ModelQuery(lists.Query):
    champion = serializers.BooleanField(required=False)


class TrainingQuery(lists.Query):
    state = serializers.ChoiceField(required=False, choices=[str(s) for s in TrainingState])


class TrainingIn(serializers.Serializer[Any]):
    """A training to ask for. `settings`: lr, batch-size, iterations, seed, objective, precision,
    max-dropped; what is missing is as in `like`, a training's uid, or the champion's training.
    """

    snapshot = serializers.CharField(max_length=40, help_text="Its uid; trained on its train side.")
    evaluation_set = serializers.CharField(
        required=False, allow_null=True, default=None, max_length=40,
        help_text="The uid of a snapshot whose test side the model is evaluated on.",
    )  # fmt: skip
    name = serializers.CharField(max_length=120)
    like = serializers.CharField(required=False, allow_null=True, default=None, max_length=40)
    settings = serializers.DictField(required=False, default=dict)


class Models(Endpoint):
    """A project's reward models."""

    @extend_schema(parameters=[ModelQuery], responses=lists.part_of(ModelOut))
    def get(self, request: Request, uid: str) -> Response:
        """List reward models with their metrics, newest first."""
        project = project_for(request.user, uid, Action.VIEW)
        query = lists.asked(request, ModelQuery)
        return lists.answer(
            request, catalog.models(project, query.place, **query.filters), ModelOut
        )


class OneModel(Endpoint):
    """One reward model."""

    @extend_schema(responses=ModelOut)
    def get(self, request: Request, uid: str, model: str) -> Response:
        """Return the reward model."""
        project = project_for(request.user, uid, Action.VIEW)
        return Response(ModelOut(catalog.model_for(project, model)).data)


class PromoteModel(Endpoint):
    """The project's champion."""

    scopes = {"POST": Scope.MANAGE}

    @extend_schema(request=None, responses=ModelOut)
    @repeatable
    def post(self, request: Request, uid: str, model: str) -> Response:
        """Make the reward model the champion; the earlier one is kept, and can be again."""
        project = project_for(request.user, uid, Action.MANAGE)
        found = catalog.model_for(project, model)
        service.promote(by=caller(request), prm=found, now=timezone.now())
        return Response(ModelOut(catalog.model_for(project, model)).data)


class Trainings(Endpoint):
    """A project's trainings."""

    scopes = {"POST": Scope.RUN}

    @extend_schema(parameters=[TrainingQuery], responses=lists.part_of(TrainingOut))
    def get(self, request: Request, uid: str) -> Response:
        """List trainings, newest first."""
        project = project_for(request.user, uid, Action.VIEW)
        query = lists.asked(request, TrainingQuery)
        part = catalog.trainings(project, query.place, **query.filters)
        return lists.answer(request, part, TrainingOut)

    @extend_schema(request=TrainingIn, responses={201: TrainingOut, 200: TrainingOut})
    @repeatable
    def post(self, request: Request, uid: str) -> Response:
        """Ask for a training; 200 with the earlier one of the same snapshots and settings.

        A worker trains. A failed one waits again only when its own address is asked.
        """
        project = project_for(request.user, uid, Action.MANAGE)
        asked = TrainingIn(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        like, other = given["like"], given["evaluation_set"]
        before = timezone.now()
        run = service.ask(
            by=caller(request),
            snapshot=catalog.snapshot_for(project, given["snapshot"]),
            evaluation_set=catalog.snapshot_for(project, other) if other else None,
            like=catalog.training_for(project, like) if like else catalog.champion_of(project),
            name=given["name"],
            settings=given["settings"],
        )
        shown = TrainingOut(catalog.training_for(project, run.uid)).data
        return Response(shown, status=201 if run.created_at >= before else 200)


class OneTraining(Endpoint):
    """One training."""

    scopes = {"POST": Scope.RUN}

    @extend_schema(responses=TrainingOut)
    def get(self, request: Request, uid: str, training: str) -> Response:
        """Return the training with how far it is."""
        project = project_for(request.user, uid, Action.VIEW)
        return Response(TrainingOut(catalog.training_for(project, training)).data)

    @extend_schema(request=None, responses=TrainingOut)
    @repeatable
    def post(self, request: Request, uid: str, training: str) -> Response:
        """Let a failed training wait again; others stay as they are."""
        project = project_for(request.user, uid, Action.MANAGE)
        service.retry(by=caller(request), run=catalog.training_for(project, training))
        return Response(TrainingOut(catalog.training_for(project, training)).data)
