"""What every address of the API has in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import Http404
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.views import APIView

from labeling.api.authentication import HasScope
from labeling.api.parsing import AnyAnswer, StrictJson, check_text
from labeling.api.throttling import OfAddress, OfToken
from labeling.services.tokens import Scope


class Endpoint(APIView):
    """One address. `scopes`: what a token needs by method; reading where nothing is said."""

    permission_classes = [HasScope]
    parser_classes: list[type[BaseParser]] = [StrictJson]
    content_negotiation_class = AnyAnswer
    throttle_classes = [OfToken]
    metadata_class = None
    scopes: Mapping[str, Scope] = {}

    @property
    def scope(self) -> Scope:
        """Return the scope that the request's method needs."""
        method = self.request.method or ""
        # HEAD tells the size and the hash of what GET sends.
        return self.scopes.get("GET" if method == "HEAD" else method, Scope.READ)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Count the address first: guesses of tokens are requests, too."""
        of_address = OfAddress()
        if not of_address.allow_request(request, self):
            self.throttled(request, of_address.wait() or 1.0)
        for value in kwargs.values():
            if "\0" in str(value):
                raise Http404("there is no such thing")
        for name, values in request.query_params.lists():
            for text in (name, *values):
                check_text(text)
        super().initial(request, *args, **kwargs)
