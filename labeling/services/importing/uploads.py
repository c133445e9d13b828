"""Uploaded files: streamed to disk as they arrive, within limits, and kept until they are used."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from tempfile import mkstemp
from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.utils.text import get_valid_filename

from labeling.domain.phrases import Phrase
from labeling.domain.refusals import Refusal

LIMIT = 10 * 10**9
"""Bytes of one upload; larger files come by `manage.py import`."""

RESERVE = 2 * 10**9
"""Bytes of disk that an upload must leave free."""

STALE = 24 * 3600
"""Seconds after which a part that nobody finished is removed."""

_PART = ".part-"


class TooLarge(Refusal):
    """An upload that is larger than allowed, or than the disk has room for."""

    status = 413
    code = "too_large"


class Part(UploadedFile):
    """A file that has arrived; `path` holds it until it is taken or removed."""

    def __init__(self, path: Path, name: str, size: int) -> None:
        super().__init__(path.open("rb"), name=name, size=size)
        self.path = path

    def close(self) -> None:
        """Forget the file, unless it was moved: Django closes what a request brought."""
        super().close()
        self.path.unlink(missing_ok=True)


class ToDisk(FileUploadHandler):
    """Write each chunk to disk as it arrives: memory does not grow with the file."""

    def handle_raw_input(
        self,
        input_data: Any,  # noqa: ARG002 - Django's interface, as are the names
        META: Any,  # noqa: N803, ARG002
        content_length: int,
        boundary: Any,  # noqa: ARG002
        encoding: Any = None,  # noqa: ARG002
    ) -> None:
        """Refuse what says beforehand that it is too large."""
        check_size(content_length)

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a part."""
        super().new_file(*args, **kwargs)
        handle, name = mkstemp(prefix=_PART, dir=folder())
        self._path, self._size = Path(name), 0
        self._out = open(handle, "wb")  # noqa: SIM115 - closed in file_complete

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:  # noqa: ARG002
        """Write on, and give nothing to the handlers that follow."""
        self._size += len(raw_data)
        if self._size > LIMIT:
            self._drop()
            raise TooLarge(_WORDS)
        self._out.write(raw_data)

    def file_complete(self, file_size: int) -> Part:
        """Return the part."""
        self._out.close()
        return Part(self._path, self.file_name or "file", file_size)

    def upload_interrupted(self) -> None:
        """Forget the part of a sender who went away."""
        self._drop()

    def _drop(self) -> None:
        self._out.close()
        self._path.unlink(missing_ok=True)


def check_size(size: int) -> None:
    """Raise TooLarge for more bytes than allowed, or than the disk can spare."""
    if size > LIMIT:
        raise TooLarge(_WORDS)
    if shutil.disk_usage(folder()).free - size < RESERVE:
        raise TooLarge("There is no room on the disk for this file.")


def folder() -> Path:
    """Return the folder of uploads; parts that nobody finished are removed on the way."""
    path = Path(settings.VAR_DIR) / "uploads"
    path.mkdir(parents=True, exist_ok=True)
    for part in path.glob(f"{_PART}*"):
        if part.stat().st_mtime < time.time() - STALE:
            part.unlink(missing_ok=True)
    return path


def keep(part: Path, uid: str, file_name: str) -> Path:
    """Move a part to where an import finds it, and return the place."""
    place = folder() / uid / file_name
    place.parent.mkdir()
    part.rename(place)
    return place


def place_of(uid: str, file_name: str) -> Path:
    """Return where the import's file is kept."""
    return Path(settings.VAR_DIR) / "uploads" / uid / file_name


def remove(uid: str) -> None:
    """Remove an import's file."""
    shutil.rmtree(Path(settings.VAR_DIR) / "uploads" / uid, ignore_errors=True)


def tidy_name(name: str) -> str:
    """Return a name of at most 100 characters that is safe on disk and still tells what it is."""
    base = name.replace("\\", "/").rpartition("/")[2].strip(". ")
    try:
        return get_valid_filename(base)[-100:].lstrip(".") or "file"
    except SuspiciousFileOperation:  # no character is left
        return "file"


_WORDS = Phrase(
    "Files of more than {size} GB are imported on the server: manage.py import.",
    size=LIMIT // 10**9,
)
