"""Whoever was signed out while filling in a form signs in and sees the form's page again."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse


class BackToThePage:
    """Middleware: after signing in, lead to the page of a form, not to where it was sent.

    Most addresses of forms answer to nothing but POST; the browser would show an error.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.method == "POST" and _asks_to_sign_in(request, response):
            response["Location"] = redirect_to_login(_page_of(request))["Location"]
        return response


def _asks_to_sign_in(request: HttpRequest, response: HttpResponse) -> bool:
    asked = redirect_to_login(request.get_full_path())["Location"]
    return response.get("Location") == asked


def _page_of(request: HttpRequest) -> str:
    """Return the address of the page with the form; of what it is about where that is unknown."""
    page = urlsplit(request.headers.get("Referer", ""))
    if page.netloc != request.get_host() or page.path == request.path:
        return request.path.rsplit("/", 1)[0] + "/"
    return page._replace(scheme="", netloc="").geturl()
