"""The API translator of refusals: every error is {"error": {"code", "message"}}.

A bad setting also has its "field"; a body or address that is wrong has "fields", the words by the
name of each wrong value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from labeling.domain.refusals import Refusal
from labeling.domain.setting_checks import BadSetting
from labeling.language import said


class ErrorDetail(serializers.Serializer[Any]):
    """What is wrong. `code` is for programs and never changes, `message` for people."""

    code = serializers.CharField()
    message = serializers.CharField()
    field = serializers.CharField(required=False, help_text="The setting that is wrong.")
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.CharField(), required=False, help_text="Words by the wrong value's name."
    )


class ErrorOut(serializers.Serializer[Any]):
    """Every error of the API."""

    error = ErrorDetail()


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer a Refusal in its own words, and what DRF refuses in the same shape."""
    if isinstance(error, Refusal):
        answer: dict[str, Any] = {"code": error.code, "message": said(error)}
        if isinstance(error, BadSetting):
            answer["field"] = error.field
        return Response({"error": answer}, status=error.status)
    response = exception_handler(error, context)
    if response is not None:
        response.data = {"error": _told(error, response.data)}
    return response


def _told(error: Exception, data: Any) -> dict[str, Any]:
    if isinstance(error, ValidationError):
        fields = dict(_flat(error.detail, ""))
        words = "; ".join(f"{name}: {text}" if name else text for name, text in fields.items())
        return {"code": "invalid", "message": words, "fields": fields}
    detail = data.get("detail", data) if isinstance(data, Mapping) else data
    code = getattr(detail, "code", None) or getattr(error, "default_code", "")
    if not isinstance(error, APIException):  # Http404 and Django's PermissionDenied
        code = {403: "permission_denied", 404: "not_found"}.get(getattr(error, "status", 404), "")
    return {"code": code, "message": str(detail)}


def _flat(detail: Any, name: str) -> Iterator[tuple[str, str]]:
    """Yield ("rows.3.steps", words) of nested errors."""
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            yield from _flat(
                value, name if key == "non_field_errors" else f"{name}.{key}".strip(".")
            )
    elif isinstance(detail, list) and any(isinstance(part, Mapping | list) for part in detail):
        for index, part in enumerate(detail):
            yield from _flat(part, f"{name}.{index}".strip("."))
    elif isinstance(detail, list):
        yield name, " ".join(str(part) for part in detail)
    else:
        yield name, str(detail)
