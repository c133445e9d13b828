"""Stream parsed rows out of a JSONL file or a JSON array, with the line of each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from labeling.domain.refusals import Invalid

LINE_LIMIT = 20_000_000
"""Bytes of one JSONL line."""

ARRAY_LIMIT = 200_000_000
"""Bytes of a JSON array, which has to be read whole; JSONL has no such limit."""


def read(path: Path) -> Iterator[tuple[int, Any, str]]:
    """Yield (line number or 1-based element, parsed value, error text) for each row of the file."""
    if not path.is_file():
        raise Invalid(f"{path}: no such file")
    with path.open("rb") as file:
        start = file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
    yield from _array(path) if start.startswith(b"[") else _lines(path)


def _array(path: Path) -> Iterator[tuple[int, Any, str]]:
    if path.stat().st_size > ARRAY_LIMIT:
        raise Invalid(f"{path.name}: a JSON array of this size must come as JSONL, one row a line")
    try:
        rows = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{path.name}: not valid JSON: {error}") from error
    for number, row in enumerate(rows, start=1):
        yield number, row, ""


def _lines(path: Path) -> Iterator[tuple[int, Any, str]]:
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LINE_LIMIT + 1):
            number += 1
            if len(line) > LINE_LIMIT:
                yield number, None, f"the line is longer than {LINE_LIMIT} bytes"
                while line and not line.endswith(b"\n"):
                    line = file.readline(LINE_LIMIT)
            elif line.strip(b"\xef\xbb\xbf \t\r\n"):
                yield number, *_parse(line)


def _parse(line: bytes) -> tuple[Any, str]:
    try:
        return json.loads(line.removeprefix(b"\xef\xbb\xbf")), ""
    except (ValueError, RecursionError) as error:
        return None, f"not valid JSON: {error}"
