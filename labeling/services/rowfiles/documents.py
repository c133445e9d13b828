"""Stream the rows of one JSON document: an array, an object of arrays, or values in a row."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from labeling.services.rowfiles.containers import CHUNK, Damaged
from labeling.services.rowfiles.lines import LINE_LIMIT, FileRow, reason_of

HOLDS_LISTS = re.compile(
    r'\s*\{\s*"(?:[^"\\]|\\.){0,1000}"\s*:\s*\[\s*\{(?!\s*"(?:role|content|from|value)"\s*:)'
)
"""The beginning of an object whose values are lists of rows, as Mr-Ben's file is. The turns of a
chat are none."""

_SPACE = re.compile(r"[ \t\r\n]*")
_PARSE = json.JSONDecoder().raw_decode


def document_rows(stream: BinaryIO) -> Iterator[FileRow]:
    """Yield each row with the line that it begins in.

    What is broken cannot be skipped, for nobody knows where it ends: Damaged ends the reading.
    """
    text = _Text(stream)
    while opening := text.peek():
        if opening == "[":
            yield from _elements(text)
        elif HOLDS_LISTS.match(text.ahead()):
            yield from _lists(text)
        else:
            yield text.line, text.value(), ""


def _elements(text: _Text) -> Iterator[FileRow]:
    text.take("[")
    if text.peek() == "]":
        text.take("]")
        return
    while True:
        text.peek()
        yield text.line, text.value(), ""
        if text.take(",", "]") == "]":
            return


def _lists(text: _Text) -> Iterator[FileRow]:
    text.take("{")
    while True:
        if text.peek() != '"':
            text.fail("a name is expected")
        text.value()
        text.take(":")
        if text.peek() == "[":
            yield from _elements(text)
        else:
            yield text.line, text.value(), ""
        if text.take(",", "}") == "}":
            return


class _Text:
    """A window on the document: what is parsed leaves it, so that it stays small.

    Bytes that are not UTF-8 become lone surrogates: the row that holds them is refused, not more.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.line = 1
        self._stream, self._at, self._ended = stream, 0, False
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
        self._text = ""

    def peek(self) -> str:
        """Skip white space and return the next character, "" at the end."""
        while True:
            space = _SPACE.match(self._text, self._at)
            self._advance(space.end() if space else self._at)
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._fill():
                return ""

    def ahead(self) -> str:
        """Return what follows, 64 KB at least where there is as much."""
        while len(self._text) - self._at < 65_536 and self._fill():
            pass
        return self._text[self._at : self._at + 65_536]

    def take(self, *wanted: str) -> str:
        """Consume one of the characters, or fail."""
        found = self.peek()
        if found not in wanted or not found:
            self.fail(f"{' or '.join(wanted)} is expected")
        self._advance(self._at + 1)
        return found

    def value(self) -> Any:
        """Parse and consume the next value; it may be LINE_LIMIT characters long."""
        while True:
            try:
                value, end = _PARSE(self._text, self._at)
            except (ValueError, RecursionError) as error:
                broken: Exception | None = error
            else:
                broken = None
                # A number at the window's end may go on behind it.
                if end < len(self._text) or self._ended:
                    self._advance(end)
                    return value
            waiting = len(self._text) - self._at
            if waiting > LINE_LIMIT:
                self.fail("a row is broken here, or longer than the limit")
            if not self._fill(waiting) and broken is not None:
                self.fail(reason_of(broken).removeprefix("not valid JSON: "))

    def fail(self, reason: str) -> None:
        """Raise Damaged with the line."""
        raise Damaged(
            "not valid JSON: {reason} (line {line}); what follows was not read",
            reason=reason,
            line=self.line,
        )

    def _fill(self, at_least: int = 0) -> bool:
        """Read on; False at the end. Growing by half keeps repeated parsing linear."""
        if self._ended:
            return False
        data = self._stream.read(max(CHUNK, at_least))
        self._ended = not data
        self._text = self._text[self._at :] + self._decoder.decode(data, final=self._ended)
        self._at = 0
        return True

    def _advance(self, to: int) -> None:
        self.line += self._text.count("\n", self._at, to)
        self._at = to
