"""The HTML translator of refusals: one page, one fragment, the refusal's own words."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from labeling.domain.refusals import Refusal
from labeling.language import said


class RefusalMiddleware:
    """Middleware: turn a Refusal that a page raised into an answer with its status and text."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer a Refusal; leave every other exception to Django."""
        if not isinstance(error, Refusal):
            return None
        return render(
            request, "refusal.html", {"code": error.code, "words": said(error)}, status=error.status
        )
