"""Engines: where models run, and what they cost."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from django.db import models
from django.db.models import Q

from labeling.models.fields import choices, one_of, uid_field


class EngineKind(StrEnum):
    """How a model is reached."""

    TRANSFORMERS = "transformers"
    OPENAI = "openai"
    VLLM = "vllm"
    POOLING = "pooling"


class Engine(models.Model):
    """A named place where one model runs: in a worker, or behind one or several servers.

    Operators keep this table; runs name a row. Where a model runs is no part of a labeler's
    identity, the model's name is: a row whose model was changed no longer serves older runs.
    `options` are those of workers.engines.registry. Prices are per million tokens, and per hour
    for machines of one's own; the two add up.
    """

    uid = uid_field()
    name = models.SlugField(max_length=60, unique=True)
    kind = models.CharField(max_length=16, choices=choices(EngineKind))
    model = models.CharField(max_length=500)
    options = models.JSONField(default=dict, blank=True)
    prompt_price = models.DecimalField(max_digits=12, decimal_places=4, default=Decimal(0))
    completion_price = models.DecimalField(max_digits=12, decimal_places=4, default=Decimal(0))
    hour_price = models.DecimalField(max_digits=12, decimal_places=4, default=Decimal(0))
    currency = models.CharField(max_length=3, default="USD")
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=one_of("kind", EngineKind), name="engine_kind_known"),
            models.CheckConstraint(condition=Q(model__gt=""), name="engine_has_model"),
            models.CheckConstraint(
                condition=Q(prompt_price__gte=0, completion_price__gte=0, hour_price__gte=0),
                name="engine_prices_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(currency__regex=r"^[A-Z]{3}$"), name="engine_currency_is_a_code"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class QueuePresence(models.Model):
    """When workers that serve a queue were last counted (workers.census)."""

    queue = models.CharField(max_length=30, unique=True)
    workers = models.PositiveSmallIntegerField()
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(workers__gt=0), name="queue_presence_has_workers"),
        ]

    def __str__(self) -> str:
        return f"{self.workers} workers on {self.queue} at {self.seen_at}"
