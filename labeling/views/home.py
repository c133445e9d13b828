"""The project list, and whether the service lives."""

from __future__ import annotations

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from labeling.domain.roles import Action, can
from labeling.selectors.pages import projects_with_counts
from labeling.views.frame import user_of

PING_SECONDS = 2.0


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """List the user's projects; go on to the only one."""
    rows = projects_with_counts(user_of(request))
    if len(rows) == 1:
        start = "overview" if can(rows[0].role, Action.VIEW) else "annotate"
        return redirect(start, rows[0].project.uid)
    return render(request, "home.html", {"rows": rows})


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Answer while the process lives, whatever the database does."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Answer 200 when the database and Redis answer, else 503 and which of them does not."""
    checks = {"database": _database_answers(), "redis": _redis_answers()}
    return JsonResponse(checks, status=200 if all(checks.values()) else 503)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _redis_answers() -> bool:
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=PING_SECONDS, socket_connect_timeout=PING_SECONDS
    )
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
