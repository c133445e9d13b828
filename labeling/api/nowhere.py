"""Addresses that the API does not have: its callers read JSON, not a page."""

from __future__ import annotations

from typing import Any, NoReturn

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from labeling.api.base import Endpoint


@extend_schema(exclude=True)
class Nowhere(Endpoint):
    """Any other address under /api/."""

    authentication_classes = []
    permission_classes = []

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:  # noqa: ARG002
        """Say that there is nothing, whatever the method."""
        raise Http404("the API has no such address: see /api/docs")
