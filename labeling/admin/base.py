"""What the operator's pages share: rows to read, lists that stay fast, actions by services."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, cast

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext

from labeling.domain.refusals import Refusal
from labeling.language import said
from labeling.models import User

COUNTED = 10_000
"""Lists are counted and paged up to here; what lies beyond is found by search and filters."""


class Bounded(Paginator):
    """Pages over the first COUNTED rows: to count millions would take longer than to list them."""

    @cached_property
    def count(self) -> int:
        """Return the number of rows, at most COUNTED."""
        rows = cast("QuerySet[Any]", self.object_list)
        return rows.order_by()[:COUNTED].count()


class Readable(admin.ModelAdmin):
    """Rows to look at, never to change: a change here would pass by decisions and audit."""

    show_full_result_count = False
    list_per_page = 50
    paginator = Bounded

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:  # noqa: ARG002
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Refuse."""
        return False

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Let superusers run actions."""
        return bool(request.user.is_active and getattr(request.user, "is_superuser", False))


def operator_of(request: HttpRequest) -> User:
    """Return who is signed in; the admin lets nobody else come here."""
    if not isinstance(request.user, User):
        raise TypeError("the admin let somebody in who is not signed in")
    return request.user


def carry_out(
    request: HttpRequest, rows: QuerySet[Any], service: Callable[[User, Any], object]
) -> None:
    """Apply a service to each row; say how many it took, and of each refused one why."""
    by, done = operator_of(request), 0
    for row in rows:
        try:
            service(by, row)
        except Refusal as refusal:
            messages.error(request, f"{row}: {said(refusal)}")
        else:
            done += 1
    if done:
        words = ngettext("{count} row done.", "{count} rows done.", done)
        messages.success(request, words.format(count=done))
    elif not rows:
        messages.warning(request, gettext("Nothing is chosen."))
