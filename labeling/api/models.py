"""Reward models and their trainings over the API."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.api import lists
from labeling.api.authentication import caller
from labeling.api.base import Endpoint
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
    def post(self, request: Request, uid: str, model: str) -> Response:
        """Make the reward model the champion; the earlier one is kept, and can be again."""
        project = project_for(request.user, uid, Action.MANAGE)
        found = catalog.model_for(project, model)
        service.promote(by=caller(request), prm=found, now=timezone.now())
        return Response(ModelOut(catalog.model_for(project, model)).data)


class Trainings(Endpoint):
    """A project's trainings."""

    @extend_schema(parameters=[TrainingQuery], responses=lists.part_of(TrainingOut))
    def get(self, request: Request, uid: str) -> Response:
        """List trainings, newest first."""
        project = project_for(request.user, uid, Action.VIEW)
        query = lists.asked(request, TrainingQuery)
        part = catalog.trainings(project, query.place, **query.filters)
        return lists.answer(request, part, TrainingOut)


class OneTraining(Endpoint):
    """One training."""

    scopes = {"POST": Scope.RUN}

    @extend_schema(responses=TrainingOut)
    def get(self, request: Request, uid: str, training: str) -> Response:
        """Return the training with how far it is."""
        project = project_for(request.user, uid, Action.VIEW)
        return Response(TrainingOut(catalog.training_for(project, training)).data)

    @extend_schema(request=None, responses=TrainingOut)
    def post(self, request: Request, uid: str, training: str) -> Response:
        """Let a failed training wait again; others stay as they are."""
        project = project_for(request.user, uid, Action.MANAGE)
        service.retry(by=caller(request), run=catalog.training_for(project, training))
        return Response(TrainingOut(catalog.training_for(project, training)).data)
