"""Tell what a file is from its content, and read its rows."""

from __future__ import annotations

import io
import os
from collections.abc import Generator, Iterator
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from labeling.domain.refusals import Invalid
from labeling.services.rowfiles.containers import Damaged, container_of, unpacked
from labeling.services.rowfiles.documents import HOLDS_LISTS, document_rows
from labeling.services.rowfiles.lines import (
    BLANK,
    LINE_LIMIT,
    FileRow,
    bounded_lines,
    json_lines,
    parsed,
)
from labeling.services.rowfiles.parquet import ParquetRows
from labeling.services.rowfiles.strangers import complaint
from labeling.services.rowfiles.tables import DELIMITERS, csv_rows

HEAD = 65_536
LINES_TRIED = 20


class FileKind(StrEnum):
    """How a file holds its rows."""

    LINES = "JSON Lines"
    DOCUMENT = "JSON"
    TABLE = "CSV"
    PARQUET = "Parquet"


_READERS = {
    FileKind.LINES: json_lines,
    FileKind.DOCUMENT: document_rows,
    FileKind.TABLE: csv_rows,
}


class RowFile:
    """A file's rows. Iterating starts anew each time; `share` follows the latest iteration."""

    def __init__(self, path: Path, kind: FileKind) -> None:
        self.path, self.kind = path, kind
        self._size = max(1, path.stat().st_size)
        self._file: BinaryIO | None = None
        self._parquet: ParquetRows | None = None

    @property
    def share(self) -> float:
        """Return how much of the file was read, from 0 to 1."""
        if self._parquet is not None:
            return min(1.0, self._parquet.read / max(1, self._parquet.total))
        if self._file is None or self._file.closed:
            return 0.0 if self._file is None else 1.0
        # Not tell(): another thread reads, and a buffered position would wait for it.
        return min(1.0, os.lseek(self._file.fileno(), 0, os.SEEK_CUR) / self._size)

    def __iter__(self) -> Generator[FileRow, None, None]:
        """Yield each row with its line; damage ends the rows with an error of its own.

        Raise Invalid with the file's name where not a single row could be read.
        """
        number = 0
        try:
            for row in self._rows():
                number = row[0]
                yield row
        except Damaged as error:
            if not number:
                raise Invalid("{name}: {error}", name=self.path.name, error=error) from error
            yield number, None, str(error)
        except Invalid as error:
            raise Invalid("{name}: {error}", name=self.path.name, error=error) from error

    def _rows(self) -> Iterator[FileRow]:
        if self.kind is FileKind.PARQUET:
            self._parquet = ParquetRows(self.path)
            yield from self._parquet
            return
        with unpacked(self.path) as (stream, self._file):
            yield from _READERS[self.kind](stream)


def open_rows(path: Path) -> RowFile:
    """Return the file's rows; raise Invalid where it is absent, empty or of no known kind."""
    if not path.is_file():
        raise Invalid("{name}: no such file", name=path.name)
    try:
        with unpacked(path) as (stream, _):
            kind = _kind(stream, _is_packed(path))
    except Invalid as error:
        raise Invalid("{name}: {error}", name=path.name, error=error) from error
    return RowFile(path, kind)


def _is_packed(path: Path) -> bool:
    with path.open("rb") as file:
        return bool(container_of(file.read(4)))


def _kind(stream: BinaryIO, packed: bool) -> FileKind:
    first = stream.readline(LINE_LIMIT)
    if first.startswith(b"PAR1"):
        if packed:
            raise Invalid("a Parquet file must come unpacked: it is compressed in itself")
        return FileKind.PARQUET
    head = first + stream.read(HEAD)
    if stranger := complaint(head):
        raise Invalid(stranger)
    start = head.lstrip(BLANK)
    if not start:
        raise Invalid("the file is empty")
    if start.startswith(b"["):
        return FileKind.DOCUMENT
    if start.startswith(b"{"):
        return _json_kind(head, first)
    if any(first.count(mark.encode()) for mark in DELIMITERS):
        return FileKind.TABLE
    raise Invalid(
        "is neither JSON, CSV with a header of two columns at least, nor Parquet, nor the first two"
        " in gzip or zip"
    )


def _json_kind(head: bytes, first: bytes) -> FileKind:
    """Tell lines that are objects each from one object over many lines."""
    # One object of lists may stand on one line, but not two of them.
    lists = HOLDS_LISTS.match(head[:HEAD].decode("utf-8-sig", "replace"))
    if _objects(head) > (1 if lists else 0):
        return FileKind.LINES
    if lists:
        return FileKind.DOCUMENT
    whole = len(first) == len(head) or not first.endswith(b"\n")
    return FileKind.LINES if whole and len(first) >= LINE_LIMIT else FileKind.DOCUMENT


def _objects(head: bytes) -> int:
    """Return how many of the first lines are an object each, 2 for more."""
    found = 0
    for number, line in bounded_lines(io.BytesIO(head)):
        if number > LINES_TRIED or found > 1:
            break
        text = (line or b"").strip(BLANK)
        found += text.startswith(b"{") and isinstance(parsed(text)[0], dict)
    return found
