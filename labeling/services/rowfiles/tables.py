"""Rows of CSV files, each as an object of its header's names."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import BinaryIO

from labeling.domain.phrases import Phrase
from labeling.domain.refusals import Invalid
from labeling.services.rowfiles.lines import TOO_LONG, FileRow, bounded_lines

FIELD_LIMIT = 2 * 10**6
"""Characters of one field: a quote that never closes swallows no more than this."""

DELIMITERS = ",\t;|"

csv.field_size_limit(FIELD_LIMIT)  # for the whole process: Python has no limit per reader


def csv_rows(stream: BinaryIO) -> Iterator[FileRow]:
    """Yield the rows under the header with the line that each ends in.

    The delimiter is the one that the header has most of. A row may have fewer fields than the
    header, not more.
    """
    source = _Lines(stream)
    first = next(source, "")
    for _, _, reason in source.take_lost():
        raise Invalid("the first line is no CSV header: {reason}", reason=reason)
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(source.after(first), delimiter=delimiter, strict=True)
    header, reason = _next(reader)
    names = _header(header or [], reason)
    while True:
        fields, reason = _next(reader)
        yield from source.take_lost()
        if fields is None and not reason:
            return
        if fields is not None and len(fields) > len(names):
            reason = f"{len(fields)} fields under a header of {len(names)}"
        if reason:
            yield source.number, None, reason
        elif fields:
            yield source.number, dict(zip(names, fields, strict=False)), ""


def _next(reader: Iterator[list[str]]) -> tuple[list[str] | None, str]:
    try:
        return next(reader, None), ""
    except csv.Error as error:
        if "new-line character" in str(error):
            return None, "its lines end with CR alone: save it with LF or CR LF"
        return None, f"not valid CSV: {error}"


def _header(names: list[str], reason: str) -> list[str]:
    names = [name.strip() for name in names]
    if len(names) < 2 or "" in names or len(set(names)) < len(names):
        why = reason or Phrase("each column needs a name of its own")
        raise Invalid("the first line is no CSV header: {reason}", reason=why)
    return names


class _Lines:
    """Decoded lines for the csv module; those that it must not see are set aside in `lost`."""

    def __init__(self, stream: BinaryIO) -> None:
        self.number = 0
        self.lost: list[FileRow] = []
        self._lines = bounded_lines(stream)
        self._again = ""

    def after(self, line: str) -> _Lines:
        """Put the line back in front."""
        self._again = line
        return self

    def take_lost(self) -> list[FileRow]:
        """Return the lines set aside since the last call."""
        lost, self.lost = self.lost, []
        return lost

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self._again:
            line, self._again = self._again, ""
            return line
        for number, raw in self._lines:
            self.number = number
            try:
                if raw is not None:
                    return raw.decode("utf-8-sig" if self.number == 1 else "utf-8")
                self.lost.append((self.number, None, f"the line is {TOO_LONG}"))
            except UnicodeDecodeError as error:
                reason = f"not UTF-8 at byte {error.start + 1} of the line: save it as UTF-8"
                self.lost.append((self.number, None, reason))
        raise StopIteration
