"""The operator's view of the rows. Services write them: here they are read only, but for prices."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest

from labeling import models
from labeling.services import engines
from labeling.services.engines import PriceTable

admin.site.register(models.User, UserAdmin)


class Readable(admin.ModelAdmin):
    """Rows to look at, never to change: a change here would pass by decisions and audit."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:  # noqa: ARG002
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Refuse."""
        return False


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
        assert isinstance(request.user, models.User)  # noqa: S101 - the admin's own check
        prices = PriceTable(**{name: form.cleaned_data[name] for name in PriceTable.__slots__})
        engines.set_prices(by=request.user, engine=obj, prices=prices)


def _readable(model: Any, *columns: str, related: tuple[str, ...] = ()) -> None:
    options = {"list_display": columns, "list_select_related": related or False}
    admin.site.register(model, type(f"{model.__name__}Admin", (Readable,), options))


_readable(models.Project, "name", "uid", "policy_version", "created_at")
_readable(models.Membership, "user", "project", "role", related=("user", "project"))
_readable(models.Problem, "uid", "external_id", "source", "split")
_readable(models.Solution, "uid", "generator", "final_answer_correct", "created_at")
_readable(models.Labeler, "name", "kind", "project", "active", related=("project",))
_readable(models.Verdict, "id", "labeler", "state", "first_error", related=("labeler",))
_readable(models.Decision, "solution_id", "state", "first_error", "updated_at")
_readable(models.Assignment, "uid", "user", "submitted_at", "skipped_at", related=("user",))
_readable(models.Run, "uid", "kind", "labeler", "state", "created_at", related=("labeler",))
_readable(models.Snapshot, "name", "project", "frozen_at", related=("project",))
_readable(models.TrainingRun, "name", "project", "state", related=("project",))
_readable(models.PRM, "uid", "training_run", "champion", related=("training_run",))
_readable(models.Event, "at", "actor", "action", "subject", related=("actor",))
_readable(models.ApiToken, "name", "prefix", "user", "expires_at", "revoked_at", related=("user",))
