"""A small client of annotator's API: lists, many rows at once, waiting, downloads that go on.

    client = Annotator("https://annotator.example.org", token)
    project = client.project("GSM8K")
    for solution in project.rows("solutions", state="disputed"):
        print(solution["uid"], solution["steps"])

It needs httpx alone. What fails for a moment (a busy server, a lost connection, 429 with its
Retry-After) is asked again; every POST carries an Idempotency-Key, so that nothing happens twice.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

__all__ = ["Annotator", "ApiError", "Failed", "Project"]

AT_ONCE = 1000
"""Rows in one request; the server takes no more."""

_AGAIN = frozenset({429, 502, 503, 504})

Row = dict[str, Any]


class ApiError(Exception):
    """The server refuses. `code` is for programs; `fields`: what is wrong, by name."""

    def __init__(self, status: int, code: str, message: str, fields: Mapping[str, str]) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message, self.fields = status, code, message, fields


class Failed(Exception):
    """What was waited for has failed; the text is the server's reason."""


class Annotator:
    """A server, and whoever the token belongs to.

    `tries`: how often one request is sent before its failure is raised, waiting 0.5, 1, 2, …
    seconds between, or as long as the server says.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        tries: int = 6,
        timeout: float = 60.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._tries = tries
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/",
            headers={"Authorization": f"Bearer {token}"},
            timeout=timeout,
            transport=transport,
        )

    def __enter__(self) -> Annotator:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, **query: Any) -> Any:
        """Return what an address says."""
        return self.request("GET", path, params=query).json()

    def post(self, path: str, body: Mapping[str, Any] | None = None, *, key: str = "") -> Any:
        """Ask for something once, however often it has to be sent. `key`: to repeat it later."""
        headers = {"Idempotency-Key": key or uuid4().hex}
        answer = self.request("POST", path, json=body or {}, headers=headers)
        return answer.json() if answer.content else None

    def change(self, path: str, body: Mapping[str, Any]) -> Any:
        """Change something: what the body does not name stays."""
        return self.request("PATCH", path, json=body).json()

    def remove(self, path: str) -> None:
        """Remove something."""
        self.request("DELETE", path)

    def rows(self, path: str, **filters: Any) -> Iterator[Row]:
        """Yield every row of a list, part by part."""
        part = self.get(path, **filters)
        yield from part["results"]
        while part["next"]:
            part = self.request("GET", part["next"]).json()
            yield from part["results"]

    def project(self, name: str) -> Project:
        """Return the project of this name or uid; raise KeyError."""
        for row in self.rows("projects", limit=500):
            if name in (row["name"], row["uid"]):
                return Project(self, row["uid"])
        raise KeyError(f"you are in no project {name!r}")

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request until it is answered; raise ApiError for a refusal.

        A POST without an Idempotency-Key is not repeated where it may have been carried out.
        """
        twice = method != "POST" or "Idempotency-Key" in options.get("headers", {})
        for attempt in range(1, self._tries + 1):
            last = attempt == self._tries
            try:
                answer = self._http.request(method, path, **options)
            except httpx.TransportError:
                if last or not twice:
                    raise
                time.sleep(2.0 ** (attempt - 2))
                continue
            status = answer.status_code
            if status not in _AGAIN or last or not (twice or status in (429, 503)):
                return _accepted(answer)
            time.sleep(_pause(answer, attempt))
        raise AssertionError("unreachable")

    def stream_to(self, path: str, part: Path) -> None:
        """Append to `part` what it lacks of a file, going on where a connection was lost."""
        for attempt in range(1, self._tries + 1):
            have = part.stat().st_size if part.exists() else 0
            headers = {"Range": f"bytes={have}-"} if have else {}
            try:
                with self._http.stream("GET", path, headers=headers) as answer:
                    if answer.status_code == 416:  # it is all there
                        return
                    if answer.status_code in _AGAIN and attempt < self._tries:
                        time.sleep(_pause(answer, attempt))
                        continue
                    if answer.is_error:
                        answer.read()
                    _accepted(answer)
                    with part.open("ab" if answer.status_code == 206 else "wb") as file:
                        for chunk in answer.iter_bytes():
                            file.write(chunk)
                    return
            except httpx.TransportError:
                if attempt == self._tries:
                    raise
                time.sleep(2.0 ** (attempt - 2))


class Project:
    """One project of the server."""

    def __init__(self, client: Annotator, uid: str) -> None:
        self.client, self.uid = client, uid

    def path(self, rest: str) -> str:
        """Return an address within the project."""
        return f"projects/{self.uid}/{rest}"

    def rows(self, what: str, **filters: Any) -> Iterator[Row]:
        """Yield the project's problems, solutions, verdicts, decisions, runs, …"""
        return self.client.rows(self.path(what), **filters)

    def add_solutions(self, rows: Iterable[Mapping[str, Any]]) -> list[Row]:
        """Bring in solutions with their problems; return what became of each, in order."""
        path = self.path("solutions")
        return [
            row for some in _parts(rows) for row in self.client.post(path, {"rows": some})["rows"]
        ]

    def add_verdicts(
        self, kind: str, name: str, verdicts: Iterable[Mapping[str, Any]], **config: Any
    ) -> list[Row]:
        """Bring in verdicts of a labeler of one's own; return what was refused."""
        labeler = {"kind": kind, "name": name, "config": config}
        refused = []
        for number, some in enumerate(_parts(verdicts)):
            body = {"labeler": labeler, "verdicts": some}
            for row in self.client.post(self.path("verdicts"), body)["refused"]:
                refused.append({**row, "index": row["index"] + number * AT_ONCE})
        return refused

    def upload(self, file: str | Path, **options: Any) -> Row:
        """Import a file of any known format, wait, and return its report; raise Failed."""
        headers = {"Idempotency-Key": uuid4().hex}
        data = {"options": json.dumps(options)}
        with Path(file).open("rb") as opened:
            answer = self.client.request(
                "POST", self.path("imports"), files={"file": opened}, data=data, headers=headers
            )
        done = self.wait("imports", answer.json()["uid"], lambda row: row["state"] == "done")
        return dict(done["report"])

    def run(self, kind: str, engine: str = "", **settings: Any) -> Row:
        """Start a run, or find the one alive that is the same."""
        body = {"kind": kind, "engine": engine, "settings": settings}
        return dict(self.client.post(self.path("runs"), body))

    def freeze(self, name: str, rule: Mapping[str, Any] | None = None) -> Row:
        """Ask for a snapshot, wait until it is frozen, and return it; raise Failed."""
        made = self.client.post(self.path("snapshots"), {"name": name, "rule": dict(rule or {})})
        return self.wait("snapshots", made["uid"], lambda row: row["frozen_at"] is not None)

    def wait(
        self,
        what: str,
        uid: str,
        done: Callable[[Row], bool] = lambda row: row["state"] == "done",
        *,
        seconds: float = 86_400.0,
    ) -> Row:
        """Ask ever less often until a run, an import or a snapshot is done; raise Failed."""
        deadline, pause = time.monotonic() + seconds, 0.2
        while True:
            row: Row = self.client.get(self.path(f"{what}/{uid}"))
            if done(row):
                return row
            if row.get("state") in ("failed", "cancelled") or (
                row.get("reason") and what != "runs"
            ):
                raise Failed(row.get("reason") or row["state"])
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} {uid} is not done after {seconds:g} s")
            time.sleep(pause)
            pause = min(pause * 1.5, 15.0)

    def download(self, snapshot: str, folder: str | Path) -> Path:
        """Download a snapshot's files, going on with what is there, and check their hashes."""
        root = Path(folder)
        files = self.path(f"snapshots/{snapshot}/files")
        for file in self.client.get(files):
            place = root.joinpath(*_names(file["name"]))
            if place.exists() and _sha256(place) == file["sha256"]:
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            part = place.with_name(f"{place.name}.part")
            self.client.stream_to(f"{files}/{file['name']}", part)
            if _sha256(part) != file["sha256"]:
                part.unlink()
                raise OSError(f"{file['name']} arrived damaged: download it again")
            part.replace(place)
        return root


def _accepted(answer: httpx.Response) -> httpx.Response:
    if not answer.is_error:
        return answer
    try:
        error = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        error = {"code": "unknown", "message": answer.text[:200]}
    fields = error.get("fields") or {}
    raise ApiError(answer.status_code, error["code"], error["message"], fields)


def _pause(answer: httpx.Response, attempt: int) -> float:
    told = answer.headers.get("Retry-After", "")
    return float(told) if told.isdecimal() else 2.0 ** (attempt - 2)


def _parts(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    left = iter(rows)
    while some := list(islice(left, AT_ONCE)):
        yield some


def _names(path: str) -> list[str]:
    """Return the parts of a file's name; none leads out of the folder."""
    names = path.split("/")
    if any(name in ("", ".", "..") or "\\" in name or ":" in name for name in names):
        raise ValueError(f"{path!r} is no name of a file")
    return names


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
