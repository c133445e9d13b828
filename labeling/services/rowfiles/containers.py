"""Open a file for reading, through gzip or zip where it is packed, within limits."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from labeling.domain.refusals import Invalid
from labeling.services.rowfiles.strangers import WORKBOOK, is_workbook

UNPACKED_LIMIT = 200 * 10**9
"""Bytes that a packed file may unpack to."""

RATIO_LIMIT = 300
"""Unpacked bytes for each packed one, once RATIO_FREE are unpacked; text packs to a fifth."""

RATIO_FREE = 100 * 10**6
CHUNK = 1 << 20
_PACKED_ERRORS = (zlib.error, EOFError, zipfile.BadZipFile, NotImplementedError, RuntimeError)


class Damaged(Invalid):
    """A file that cannot be read on; what was read before stands."""

    code = "damaged_file"


def container_of(head: bytes) -> str:
    """Return "gzip", "zip" or "" from a file's first bytes."""
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    return "zip" if head.startswith((b"PK\x03\x04", b"PK\x05\x06")) else ""


@contextmanager
def unpacked(path: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Yield the file's plain bytes and the file itself, whose position says how far they are.

    A zip must hold one file. Reading raises Damaged where the packing is broken, or where it
    unpacks to more than the limits.
    """
    with path.open("rb") as file:
        kind = container_of(file.read(4))
        file.seek(0)
        if not kind:
            yield io.BufferedReader(_Raw(file), CHUNK), file
            return
        inner = gzip.GzipFile(fileobj=file) if kind == "gzip" else _member(file)
        with inner:
            yield io.BufferedReader(_Limited(inner, file), CHUNK), file


def _member(file: BinaryIO) -> BinaryIO:
    try:
        archive = zipfile.ZipFile(file)
        names = [
            entry
            for entry in archive.infolist()
            if not entry.is_dir() and not entry.filename.startswith("__MACOSX/")
        ]
        if is_workbook([entry.filename for entry in names]):
            raise Invalid(WORKBOOK)
        if len(names) != 1:
            raise Invalid("the zip holds {count} files; one is expected", count=len(names))
        return archive.open(names[0])  # type: ignore[return-value]
    except _PACKED_ERRORS as error:
        raise Damaged("the zip cannot be read: {error}", error=error) from error


class _Raw(io.RawIOBase):
    """An unpacked file, read through one buffer like the packed ones."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, target: object) -> int:
        view = memoryview(target).cast("B")  # type: ignore[arg-type]
        data = self._file.read(len(view))
        view[: len(data)] = data
        return len(data)


class _Limited(io.RawIOBase):
    """Unpacked bytes, counted; a bomb is refused while it opens."""

    def __init__(self, inner: BinaryIO | gzip.GzipFile, packed: BinaryIO) -> None:
        self._inner, self._packed, self._count = inner, packed, 0

    def readable(self) -> bool:
        return True

    def readinto(self, target: object) -> int:
        view = memoryview(target).cast("B")  # type: ignore[arg-type]
        try:
            data = self._inner.read(len(view))
        except (*_PACKED_ERRORS, OSError) as error:
            raise Damaged("the packed file is damaged: {error}", error=error) from error
        view[: len(data)] = data
        self._count += len(data)
        if self._count > UNPACKED_LIMIT:
            raise Damaged(
                "the packed file holds more than {unpacked_limit} bytes",
                unpacked_limit=UNPACKED_LIMIT,
            )
        if self._count > max(RATIO_FREE, RATIO_LIMIT * self._packed.tell()):
            raise Damaged(
                "the file unpacks to more than {ratio_limit} times its size",
                ratio_limit=RATIO_LIMIT,
            )
        return len(data)
