"""The HTML translator of refusals: one page, one fragment, the refusal's own words.

A page's script that sent JSON gets {"code", "words"} and the refusal's details instead.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
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
        if request.content_type == "application/json":
            answer = {"code": error.code, "words": said(error), **error.details}
            return JsonResponse(answer, status=error.status)
        return render(
            request, "refusal.html", {"code": error.code, "words": said(error)}, status=error.status
        )
