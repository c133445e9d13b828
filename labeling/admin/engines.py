"""Engines and their prices."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from labeling import models
from labeling.admin.base import Readable, operator_of
from labeling.services import engines
from labeling.services.engines import PriceTable


@admin.register(models.Engine)
class EngineAdmin(Readable):
    """Engines, whose prices superusers may change; `manage.py engine` does the rest."""

    list_display = ("name", "kind", "model", *PriceTable.__slots__, "active")
    fields = ("name", "kind", "model", "options", "active", *PriceTable.__slots__)
    readonly_fields = ("name", "kind", "model", "options", "active")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Let superusers."""
        return bool(request.user.is_active and getattr(request.user, "is_superuser", False))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: ARG002
        """Write through the service, which notes who changed what."""
        prices = PriceTable(**{name: form.cleaned_data[name] for name in PriceTable.__slots__})
        engines.set_prices(by=operator_of(request), engine=obj, prices=prices)
