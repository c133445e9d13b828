"""The API translator of refusals: {"error": {"code", "message"}} with the refusal's status."""

from __future__ import annotations

from typing import Any

from rest_framework.response import Response
from rest_framework.views import exception_handler

from labeling.domain.refusals import Refusal


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer a Refusal in its own words; leave the rest to DRF."""
    if isinstance(error, Refusal):
        body = {"error": {"code": error.code, "message": str(error)}}
        return Response(body, status=error.status)
    return exception_handler(error, context)
