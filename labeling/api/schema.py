"""How the OpenAPI schema is read off the code: names, scopes, and the errors that all share."""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import Direction, OpenApiParameter, OpenApiResponse

from labeling.api.base import Endpoint
from labeling.api.refusals import ErrorOut

KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="1 to 200 letters, digits or .:_- of your own. The same key with the same body "
    "returns the first answer for 24 hours; with another body it is refused (409).",
)
_RETRY = OpenApiParameter(
    "Retry-After",
    OpenApiTypes.INT,
    OpenApiParameter.HEADER,
    response=[429],
    description="Seconds to wait.",
)
_ERRORS = {
    400: "A value is wrong or unknown; `fields` names it.",
    401: "No token, or one that is unknown, expired or revoked.",
    403: "The token lacks the scope, or your role in the project the right.",
    404: "There is no such thing, or not for you.",
    409: "The state of things does not allow it, or the idempotency key belongs to another body.",
    413: "The body is too large.",
    415: "The body's content type is another one than documented.",
    429: "Too many requests; `Retry-After` says how many seconds to wait.",
}
_SECTION = re.compile(r"^/api/(?:projects/\{\w+\}/)?(\w+)")


class Operations(AutoSchema):
    """One operation of an Endpoint."""

    def get_operation_id(self) -> str:
        """Return the method and the view's name: both are unique together."""
        return self.method.lower() + type(self.view).__name__

    def get_tags(self) -> list[str]:
        """Return the part of the API that the address begins with."""
        found = _SECTION.match(self.path)
        return [found[1] if found else "api"]

    def get_summary(self) -> str | None:
        """Return the first sentence of the method's docstring."""
        return super().get_description().partition("\n\n")[0].replace("\n", " ")

    def get_description(self) -> str:  # type: ignore[override]
        """Return the docstring with the scope that a token needs."""
        described = str(super().get_description())
        if self._is_open() or not isinstance(self.view, Endpoint):
            return described
        scope = self.view.scopes.get(self.method, "read")
        return f"{described}\n\nScope of the token: `{scope}`."

    def get_override_parameters(self) -> list[Any]:
        """Return what the operation names, and the headers that all have."""
        named = list(super().get_override_parameters())
        keyed = getattr(getattr(self.view, self.method.lower(), None), "keyed", False)
        return [*named, *([KEY] if keyed else []), *([_RETRY] if self._is_endpoint() else [])]

    def _get_response_bodies(self, direction: Direction = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        if direction == "response" and self._is_endpoint():
            for status in self._errors():
                told = OpenApiResponse(ErrorOut, description=_ERRORS[status])
                bodies.setdefault(str(status), self._get_response_for_code(told, str(status)))
        return bodies

    def _errors(self) -> list[int]:
        errors = {400, 429}
        if not self._is_open():
            errors |= {401, 403}
        if "{" in self.path:
            errors.add(404)
        if self.method != "GET":
            errors |= {409, 413, 415}
        return sorted(errors)

    def _is_endpoint(self) -> bool:
        return isinstance(self.view, Endpoint)

    def _is_open(self) -> bool:
        return not self.view.get_authenticators()
