"""Webhooks over the API: who is told of a project's events, and what came of it."""

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
from labeling.api.once import repeatable, repeatable_without
from labeling.domain.roles import Action
from labeling.domain.webhooks import CHOSEN, URL_LIMIT
from labeling.models import Delivery, Webhook
from labeling.models.webhooks import DeliveryState
from labeling.selectors import catalog
from labeling.selectors.access import project_for
from labeling.services import webhooks
from labeling.services.tokens import Scope

_EVENTS = [str(hook) for hook in CHOSEN]


class WebhookOut(serializers.ModelSerializer[Webhook]):
    events = serializers.ListField(child=serializers.ChoiceField(choices=_EVENTS))

    class Meta:
        model = Webhook
        fields = ["uid", "url", "events", "active", "created_at"]


class NewWebhook(WebhookOut):
    """A webhook as it is shown once, with the secret that signs its messages."""

    secret = serializers.CharField()

    class Meta(WebhookOut.Meta):
        fields = [*WebhookOut.Meta.fields, "secret"]


class WebhookIn(serializers.Serializer[Any]):
    """`url`: a public address, or a host that the operator allows."""

    url = serializers.CharField(max_length=URL_LIMIT)
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=_EVENTS), min_length=1, max_length=len(_EVENTS)
    )


class SwitchIn(serializers.Serializer[Any]):
    active = serializers.BooleanField()


class DeliveryOut(serializers.ModelSerializer[Delivery]):
    class Meta:
        model = Delivery
        fields = [
            "uid", "event", "state", "attempts", "status", "reason", "due_at", "created_at",
            "delivered_at",
        ]  # fmt: skip


class DeliveryQuery(lists.Query):
    state = serializers.ChoiceField(required=False, choices=[str(s) for s in DeliveryState])


def _secret_again(
    _view: Any, request: Request, kept: dict[str, Any], *, uid: str
) -> dict[str, Any]:
    project = project_for(request.user, uid, Action.MANAGE)
    made = catalog.webhook_for(project, kept["uid"])
    return {"secret": webhooks.secret_of(webhook=made)}


class Webhooks(Endpoint):
    """A project's webhooks."""

    scopes = {"GET": Scope.MANAGE, "POST": Scope.MANAGE}

    @extend_schema(parameters=[lists.Query], responses=lists.part_of(WebhookOut))
    def get(self, request: Request, uid: str) -> Response:
        """List webhooks, newest first."""
        project = project_for(request.user, uid, Action.MANAGE)
        query = lists.asked(request, lists.Query)
        return lists.answer(request, catalog.webhooks(project, query.place), WebhookOut)

    @extend_schema(request=WebhookIn, responses={201: NewWebhook})
    @repeatable_without(("secret",), _secret_again)
    def post(self, request: Request, uid: str) -> Response:
        """Add a webhook; its secret is in this answer only. See docs/api.md for the signature."""
        project = project_for(request.user, uid, Action.MANAGE)
        asked = WebhookIn(data=request.data)
        asked.is_valid(raise_exception=True)
        made, secret = webhooks.create(
            by=caller(request),
            project=project,
            url=asked.validated_data["url"],
            hooks=asked.validated_data["events"],
        )
        return Response({**WebhookOut(made).data, "secret": secret}, status=201)


class OneWebhook(Endpoint):
    """One webhook."""

    scopes = {"GET": Scope.MANAGE, "PATCH": Scope.MANAGE, "DELETE": Scope.MANAGE}

    @extend_schema(responses=WebhookOut)
    def get(self, request: Request, uid: str, hook: str) -> Response:
        """Return the webhook, without its secret."""
        project = project_for(request.user, uid, Action.MANAGE)
        return Response(WebhookOut(catalog.webhook_for(project, hook)).data)

    @extend_schema(request=SwitchIn, responses=WebhookOut)
    def patch(self, request: Request, uid: str, hook: str) -> Response:
        """Switch the webhook off, or on again; what waits for it waits on."""
        project = project_for(request.user, uid, Action.MANAGE)
        asked = SwitchIn(data=request.data)
        asked.is_valid(raise_exception=True)
        found = catalog.webhook_for(project, hook)
        webhooks.switch(by=caller(request), webhook=found, on=asked.validated_data["active"])
        return Response(WebhookOut(catalog.webhook_for(project, hook)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, uid: str, hook: str) -> Response:
        """Remove the webhook with its log."""
        project = project_for(request.user, uid, Action.MANAGE)
        webhooks.remove(by=caller(request), webhook=catalog.webhook_for(project, hook))
        return Response(status=204)


class Deliveries(Endpoint):
    """What a webhook was told."""

    scopes = {"GET": Scope.MANAGE}

    @extend_schema(parameters=[DeliveryQuery], responses=lists.part_of(DeliveryOut))
    def get(self, request: Request, uid: str, hook: str) -> Response:
        """List deliveries of the last 30 days, newest first."""
        project = project_for(request.user, uid, Action.MANAGE)
        query = lists.asked(request, DeliveryQuery)
        part = catalog.deliveries(catalog.webhook_for(project, hook), query.place, **query.filters)
        return lists.answer(request, part, DeliveryOut)


class TestWebhook(Endpoint):
    """Trying a webhook."""

    scopes = {"POST": Scope.MANAGE}

    @extend_schema(request=None, responses={202: DeliveryOut})
    @repeatable
    def post(self, request: Request, uid: str, hook: str) -> Response:
        """Send a `ping`; the list of deliveries tells what came of it."""
        project = project_for(request.user, uid, Action.MANAGE)
        sent = webhooks.ping(
            by=caller(request), webhook=catalog.webhook_for(project, hook), now=timezone.now()
        )
        return Response(DeliveryOut(sent).data, status=202)
