"""Lines of a stream, none of them without a bound, and JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import orjson

FileRow = tuple[int, Any, str]
"""Line (of Parquet: row), value, and what is wrong with it: a row has one of the last two."""

LINE_LIMIT = 8 * 10**6
"""Bytes of one line: parsed, `[[],[],…]` takes some twenty times as much memory."""

BLANK = b" \t\r\n\xef\xbb\xbf"
TOO_LONG = f"longer than {LINE_LIMIT // 10**6} MB"


def bounded_lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Yield each line with its number from 1; None in place of one that is too long."""
    number = 0
    while line := stream.readline(LINE_LIMIT + 1):
        number += 1
        if len(line) <= LINE_LIMIT:
            yield number, line
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(LINE_LIMIT)
        yield number, None


def json_lines(stream: BinaryIO) -> Iterator[FileRow]:
    """Yield the value of each line that is not blank."""
    for number, line in bounded_lines(stream):
        if line is None:
            yield number, None, f"the line is {TOO_LONG}"
            continue
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        try:
            yield number, orjson.loads(line), ""
        except orjson.JSONDecodeError:
            if line.strip(BLANK):
                yield number, *parsed(line)


def parsed(text: bytes | str) -> tuple[Any, str]:
    """Return the value and "", or None and what is wrong.

    The standard library reads what orjson refuses but others write (NaN, lone surrogates), and
    names the place of an error.
    """
    try:
        return json.loads(text), ""
    except (ValueError, RecursionError) as error:
        return None, reason_of(error)


def reason_of(error: Exception) -> str:
    """Return in words why JSON could not be parsed."""
    if isinstance(error, json.JSONDecodeError):
        return f"not valid JSON: {error.msg} at character {error.pos + 1}"
    if isinstance(error, UnicodeDecodeError):
        return f"not valid JSON: not UTF-8 at byte {error.start + 1}"
    if isinstance(error, RecursionError):
        return "not valid JSON: nested too deeply"
    return f"not valid JSON: {str(error)[:200]}"
