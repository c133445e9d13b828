"""The Idempotency-Key header: a request that was cut off may be sent again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple

from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from labeling.api.authentication import caller
from labeling.services import idempotency

Post = Callable[..., Response]


class Unkept(NamedTuple):
    """Values of an answer that no row may hold, a secret for one.

    `again(view, request, kept, **address)` makes them anew for the repeated answer, and refuses
    whoever may not have them any more.
    """

    names: tuple[str, ...]
    again: Callable[..., dict[str, Any]]


def repeatable(post: Post) -> Post:
    """Let a method's answer be kept under the caller's Idempotency-Key, if there is one."""
    return _keyed(post, Unkept((), lambda *_, **__: {}))


def repeatable_without(
    names: tuple[str, ...], again: Callable[..., dict[str, Any]]
) -> Callable[[Post], Post]:
    """Do as `repeatable`, but keep the answer without these values (Unkept)."""
    return lambda post: _keyed(post, Unkept(names, again))


def _keyed(post: Post, unkept: Unkept) -> Post:
    @wraps(post)
    def keyed(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return post(view, request, *args, **kwargs)
        told: dict[str, Any] = {}

        def act() -> idempotency.Answer:
            response = post(view, request, *args, **kwargs)
            values = json.loads(json.dumps(response.data, cls=JSONEncoder))
            told.update({name: values.pop(name) for name in unkept.names})
            return idempotency.Answer(response.status_code, values)

        answer = idempotency.once(
            by=caller(request), key=key, asked=_asked(request), now=timezone.now(), act=act
        )
        if answer.repeated and unkept.names:
            told = unkept.again(view, request, answer.values, **kwargs)
        headers = {"Idempotent-Replayed": "true"} if answer.repeated else None
        values = {**answer.values, **told} if told else answer.values
        return Response(values, status=answer.status, headers=headers)

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
