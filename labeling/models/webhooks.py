"""Webhooks of a project, and what was or is to be delivered to them."""

from __future__ import annotations

from enum import StrEnum

from django.db import models
from django.db.models import Q

from labeling.domain.webhooks import Hook
from labeling.models.fields import choices, one_of, uid_field


class DeliveryState(StrEnum):
    """A delivery's life."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class Webhook(models.Model):
    """An address that is told of a project's events. Its secret is made of `salt` and SECRET_KEY
    (services.webhooks): the database alone does not hold it."""

    uid = uid_field()
    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="webhooks")
    url = models.CharField(max_length=500)
    events = models.JSONField(default=list)
    salt = models.CharField(max_length=40)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey("labeling.User", models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "url"], name="webhook_one_per_project_and_address"
            ),
        ]

    def __str__(self) -> str:
        return self.url


class Delivery(models.Model):
    """One message to one webhook: `body` is what is signed and sent, the same at each attempt.

    A worker holds it until `lease_until`; killed before it could note the answer, it is sent
    again: whoever receives it tells repetitions by its uid. `status`: of the last HTTP answer.
    """

    uid = uid_field()
    webhook = models.ForeignKey("labeling.Webhook", models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=20, choices=choices(Hook))
    body = models.TextField()
    state = models.CharField(max_length=10, choices=choices(DeliveryState), default="waiting")
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    status = models.PositiveSmallIntegerField(null=True)
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=one_of("state", DeliveryState), name="delivery_state_known"
            ),
            models.CheckConstraint(condition=one_of("event", Hook), name="delivery_event_known"),
            models.CheckConstraint(
                condition=Q(state="delivered", delivered_at__isnull=False)
                | (~Q(state="delivered") & Q(delivered_at__isnull=True)),
                name="delivery_delivered_at_iff_delivered",
            ),
            models.CheckConstraint(
                condition=~Q(state="failed") | Q(reason__gt=""), name="delivery_failed_has_reason"
            ),
        ]
        indexes = [
            # webhooks.claim: the next one that is due
            models.Index(fields=["due_at"], condition=Q(state="waiting"), name="delivery_due"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.uid}: {self.state}"
