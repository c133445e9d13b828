"""The API translator of refusals: {"error": {"code", "message"}} with the refusal's status; for a
bad setting also its "field"."""

from __future__ import annotations

from typing import Any

from rest_framework.response import Response
from rest_framework.views import exception_handler

from labeling.domain.refusals import Refusal
from labeling.domain.setting_checks import BadSetting
from labeling.language import said


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer a Refusal in its own words; leave the rest to DRF."""
    if isinstance(error, Refusal):
        answer = {"code": error.code, "message": said(error)}
        if isinstance(error, BadSetting):
            answer["field"] = error.field
        return Response({"error": answer}, status=error.status)
    return exception_handler(error, context)
