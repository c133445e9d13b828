"""JSON over HTTP to a model server, with the standard library alone."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

ATTEMPTS = 4
_PASSING = (408, 409, 425, 429, 500, 502, 503, 504)
"""Answers after which the same request may succeed."""


class HttpError(OSError):
    """A server that could not be asked, or refused; `status` is None where it gave none."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follow no redirection: it would show the key to another server."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_Stay)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server's address (with or without a trailing /v1), its key, and seconds to wait.

    What may pass is tried again after `pause`, 2 `pause`, 4 `pause` seconds.
    """

    url: str
    key: str = field(default="", repr=False)
    timeout: float = 600.0
    pause: float = 1.0

    def get(self, path: str) -> Any:
        """Return the JSON answer to a GET; raise `HttpError`."""
        return self._ask(path, None)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Return the JSON answer to a POST of JSON; raise `HttpError`."""
        return self._ask(path, json.dumps(body).encode())

    def _ask(self, path: str, data: bytes | None) -> Any:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._once(path, data)
            except HttpError as error:
                if attempt == ATTEMPTS or error.status not in (None, *_PASSING):
                    raise
            time.sleep(self.pause * 2 ** (attempt - 1))
        raise AssertionError("every attempt returns or raises")

    def _once(self, path: str, data: bytes | None) -> Any:
        url = self.url.rstrip("/").removesuffix("/v1") + path
        headers = {"Content-Type": "application/json"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        if not url.startswith(("http://", "https://")):
            raise HttpError(f"{self.url} is no address of a server: it begins with http(s)://", 0)
        request = urllib.request.Request(url, data, headers)  # noqa: S310 (checked above)
        try:
            with _OPENER.open(request, timeout=self.timeout) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise HttpError(f"{url}: HTTP {error.code}: {self._said(error)}", error.code) from error
        except (OSError, HTTPException) as error:
            raise HttpError(f"{url}: {error}") from error
        except ValueError as error:
            raise HttpError(f"{url}: the answer is no JSON: {error}", 0) from error

    def _said(self, error: urllib.error.HTTPError) -> str:
        """Return what a server complains of, without the key that it may repeat."""
        try:
            text = error.read(4_000).decode(errors="replace")
        except (OSError, HTTPException):
            return ""
        text = text.replace(self.key, "***") if self.key else text
        return " ".join(text.split())[:300]
