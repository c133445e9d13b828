"""Read JSON bodies within limits, and nothing that the database could not hold."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from labeling.domain.refusals import Refusal

LIMIT = 32 * 10**6
"""Bytes of a JSON body; more at once comes as a file (imports)."""

DEEPEST = 40
_LARGEST = 2**63


class BodyTooLarge(Refusal):
    """A JSON body above LIMIT."""

    status = 413
    code = "too_large"


class StrictJson(JSONParser):
    """JSON without NUL characters, lone surrogates, numbers beyond 64 bits or endless nesting."""

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Any = None
    ) -> dict[str, Any]:
        """Return the body's object; raise ParseError, or BodyTooLarge above LIMIT."""
        body = stream.read(LIMIT + 1)
        if len(body) > LIMIT:
            raise BodyTooLarge("a body has at most {limit} bytes: import a file", limit=LIMIT)
        try:
            value: Any = super().parse(io.BytesIO(body), media_type, parser_context)
        except RecursionError as error:
            raise ParseError("the JSON is nested too deeply") from error
        if not isinstance(value, dict):
            raise ParseError("a JSON object is expected")
        check(value)
        return value


class AnyAnswer(BaseContentNegotiation):
    """There is one form of each answer: it is sent whatever the caller says to accept."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """Choose by the content type."""
        wanted = request.content_type.partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == wanted), None)

    def select_renderer(
        self,
        request: Request,  # noqa: ARG002
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,  # noqa: ARG002
    ) -> tuple[BaseRenderer, str]:
        """Take the only one."""
        only = next(iter(renderers))
        return only, str(only.media_type)


def check(value: Any, depth: int = 0) -> None:
    """Raise ParseError for what no column can hold."""
    if depth > DEEPEST:
        raise ParseError("the JSON is nested too deeply")
    if isinstance(value, str):
        check_text(value)
    elif isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        raise ParseError("a number is beyond 64 bits")
    elif isinstance(value, float) and not math.isfinite(value):
        raise ParseError("a number is not finite")
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            check_text(key)
            check(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            check(inner, depth + 1)


def check_text(text: str) -> None:
    """Raise ParseError for characters that cannot be stored."""
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ParseError("a text holds characters that cannot be stored")
