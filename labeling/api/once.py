"""The Idempotency-Key header: a request that was cut off may be sent again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from labeling.api.authentication import caller
from labeling.services import idempotency

Post = Callable[..., Response]


def repeatable(post: Post) -> Post:
    """Let a method's answer be kept under the caller's Idempotency-Key, if there is one."""

    @wraps(post)
    def keyed(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return post(view, request, *args, **kwargs)

        def act() -> idempotency.Answer:
            response = post(view, request, *args, **kwargs)
            values = json.loads(json.dumps(response.data, cls=JSONEncoder))
            return idempotency.Answer(response.status_code, values)

        answer = idempotency.once(
            by=caller(request), key=key, asked=_asked(request), now=timezone.now(), act=act
        )
        headers = {"Idempotent-Replayed": "true"} if answer.repeated else None
        return Response(answer.values, status=answer.status, headers=headers)

    keyed.keyed = True  # type: ignore[attr-defined]
    return keyed


def _asked(request: Request) -> bytes:
    """Return what tells this request from others: method, address, and the body's content."""
    data: Any = request.data
    values = {name: _value(value) for name, value in data.items()}
    return json.dumps([request.method, request.path, values], sort_keys=True).encode()


def _value(value: Any) -> Any:
    if not isinstance(value, UploadedFile):
        return value
    digest = hashlib.sha256()
    for chunk in value.chunks():
        digest.update(chunk)
    value.seek(0)
    return digest.hexdigest()
