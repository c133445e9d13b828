"""Annotators at work over HTTP, as the page in the browser does it, with a watch beside them."""

from __future__ import annotations

import json
import random
import re
import time
from collections import defaultdict
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

_BENCH = re.compile(r'data-uid="([-\w]+)".*?data-steps="(\d+)"', re.DOTALL)
_TOKEN = "b" * 32
"""A CSRF token: Django only asks that the cookie and the header agree."""


_ARRIVALS = 8
"""People arrive within so many pauses: they do not all load the page at one moment."""


class Refused(Exception):
    """The server answered something else than was asked for."""


@dataclass(slots=True)
class Log:
    """Milliseconds by kind of request, and what was acknowledged: item uid → labels."""

    ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    submitted: dict[str, list[int | None]] = field(default_factory=dict)


class Annotator:
    """One signed-in browser. `pause`: mean seconds before a label, 0 = none."""

    def __init__(self, host: str, port: int, session: str, project: str, pause: float) -> None:
        self._host, self._port, self._pause = host, port, pause
        self._base = f"/p/{project}/annotate/"
        self._headers = {"Cookie": f"sessionid={session}; csrftoken={_TOKEN}"}
        self._headers |= {"X-CSRFToken": _TOKEN, "Origin": f"http://{host}:{port}"}
        self._connection = HTTPConnection(host, port, timeout=60)
        self._random = random.Random(session)  # noqa: S311 - made-up labels
        self.log = Log()

    def work(self, until: float) -> None:
        """Label at least one item, more until the time (of time.monotonic) or nothing is left."""
        time.sleep(self._random.uniform(0, _ARRIVALS * self._pause))
        current = self._item("next", "GET", "")
        while current is not None:
            uid, steps = current
            following = self._item("next", "POST", f"{uid}/ahead")
            self._submit(uid, self._label(uid, steps))
            if time.monotonic() >= until:
                break
            current = following or self._item("next", "GET", "")
        self._connection.close()

    def _item(self, kind: str, method: str, path: str) -> tuple[str, int] | None:
        found = _BENCH.search(self._ask(kind, method, path))
        return (found[1], int(found[2])) if found else None

    def _label(self, uid: str, steps: int) -> list[int | None]:
        labels: list[int | None] = [None] * steps
        for index in range(steps):
            if self._pause:
                time.sleep(self._random.expovariate(1 / self._pause))
            labels[index] = -1 if self._random.random() < 0.1 else 1
            self._send("autosave", f"{uid}/draft", version=index, draft=_draft(labels))
            if labels[index] == -1:
                break
        return labels

    def _submit(self, uid: str, labels: list[int | None]) -> None:
        self._send("submit", f"{uid}/submit", key=str(uuid4()), draft=_draft(labels))
        self.log.submitted[uid] = labels

    def _send(self, kind: str, path: str, **values: Any) -> None:
        body = json.dumps({**values, "active_seconds": 5.0}).encode()
        self._ask(kind, "POST", path, body, "application/json")

    def _ask(
        self,
        kind: str,
        method: str,
        path: str,
        body: bytes | None = None,
        content_type: str = "application/x-www-form-urlencoded",
    ) -> str:
        if method == "POST" and body is None:
            body = urlencode({"csrfmiddlewaretoken": _TOKEN}).encode()
        headers = self._headers | ({"Content-Type": content_type} if body else {})
        begun = time.perf_counter()
        status, text = self._answer(method, self._base + path, body, headers)
        self.log.ms[kind].append(1000 * (time.perf_counter() - begun))
        if status not in (200, 204):
            raise Refused(f"{method} {path}: {status} {text[:300]}")
        return text

    def _answer(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, str]:
        try:
            return self._once(method, path, body, headers)
        except (HTTPException, ConnectionError):
            # the server closes connections that were idle for some seconds; browsers ask again
            self._connection.close()
            return self._once(method, path, body, headers)

    def _once(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, str]:
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read().decode()


def _draft(labels: list[int | None]) -> dict[str, Any]:
    return {"labels": labels, "notes": {}, "note": ""}
