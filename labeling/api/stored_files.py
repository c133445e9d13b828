"""The files of a frozen snapshot: which there are, and sending one, whole or a part of it.

A file is found by its name among those that lie in the snapshot's folder: no path is ever made of
what a caller says.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.http import Http404, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header, http_date, parse_etags
from django.utils.translation import gettext
from rest_framework.request import Request

from labeling.models import Snapshot
from labeling.services.freezing import renditions
from labeling.services.snapshots import folder_of

_CHUNK = 1 << 18
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file: its name within the folder (with slashes), where it lies, its bytes.

    `noted` is the hash that was noted when it was written; cards and sums have none.
    """

    snapshot: Snapshot
    name: str
    path: Path
    size: int
    noted: str = ""

    @property
    def sha256(self) -> str:
        """Return the hash of the content; only small files are read for it."""
        return self.noted or hashlib.sha256(self.path.read_bytes()).hexdigest()

    @property
    def etag(self) -> str:
        """Return the strong validator: a snapshot's file never changes."""
        what = f"{self.snapshot.content_hash} {self.name} {self.size}"
        return f'"{hashlib.sha256(what.encode()).hexdigest()[:32]}"'


def files_of(snapshot: Snapshot) -> list[StoredFile]:
    """Return the regular files of a frozen snapshot, by name; raise Http404 where none is."""
    if snapshot.frozen_at is None or not snapshot.folder:
        raise Http404("the snapshot is not frozen yet")
    folder = folder_of(snapshot)
    found = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    names = {path.relative_to(folder).as_posix(): path for path in sorted(found)}
    noted = _noted(snapshot, folder)
    return [
        StoredFile(snapshot, name, path, path.stat().st_size, noted.get(name, ""))
        for name, path in names.items()
    ]


def _noted(snapshot: Snapshot, folder: Path) -> dict[str, str]:
    """Return the hashes of the native files and of the other formats' by name, as written down."""
    sums = folder / "SHA256SUMS"
    lines = sums.read_text().splitlines() if sums.exists() else []
    noted = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    for form, report in snapshot.formats.items():
        for name, of in report.get("files", {}).items():
            noted[f"{renditions.FOLDER}/{form}/{name}"] = of["sha256"]
    return noted


def file_named(snapshot: Snapshot, name: str) -> StoredFile:
    """Return the file of this name or raise Http404."""
    found = next((file for file in files_of(snapshot) if file.name == name), None)
    if found is None:
        raise Http404("the snapshot has no such file")
    return found


def send(request: Request, file: StoredFile, content_type: str) -> HttpResponseBase:
    """Send the file: 304 where the caller has it, 206 a part, 416 a part that there is not."""
    common = {"ETag": file.etag, "Accept-Ranges": "bytes", "Cache-Control": "private, no-cache"}
    if file.snapshot.frozen_at:
        common["Last-Modified"] = http_date(file.snapshot.frozen_at.timestamp())
    known = parse_etags(request.headers.get("If-None-Match", ""))
    if file.etag in known or "*" in known:
        return HttpResponse(status=304, headers=common)
    asked = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    if asked is None or request.headers.get("If-Range", file.etag) != file.etag:
        return _streamed(file, 0, file.size, 200, content_type, common)
    part = _part(asked, file.size)
    if part is None:
        words = gettext("the file has no such part")
        return JsonResponse(
            {"error": {"code": "no_such_part", "message": words}},
            status=416,
            headers={**common, "Content-Range": f"bytes */{file.size}"},
        )
    start, end = part
    common["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
    return _streamed(file, start, end, 206, content_type, common)


def _part(asked: re.Match[str], size: int) -> tuple[int, int] | None:
    """Return [start, end) of "a-b", "a-" (from a) or "-n" (the last n)."""
    first, last = asked.groups()
    if not first and not last:
        return None
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    return (start, end) if start < end else None


def _streamed(
    file: StoredFile, start: int, end: int, status: int, content_type: str, headers: dict[str, str]
) -> StreamingHttpResponse:
    name = f"{file.snapshot.content_hash[:12]}-{file.name.replace('/', '-')}"
    return StreamingHttpResponse(
        _chunks(file.path, start, end),
        status=status,
        content_type=content_type,
        headers={
            **headers,
            "Content-Length": str(end - start),
            "Content-Disposition": content_disposition_header(True, name) or "attachment",
        },
    )


def _chunks(path: Path, start: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as opened:
        opened.seek(start)
        while start < end and (chunk := opened.read(min(_CHUNK, end - start))):
            start += len(chunk)
            yield chunk
