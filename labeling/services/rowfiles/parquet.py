"""Rows of Parquet files, read in a child process: a hostile file takes the child, not this one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from labeling.services.rowfiles import parquet_child
from labeling.services.rowfiles.containers import Damaged
from labeling.services.rowfiles.lines import FileRow, json_lines

CHILD = Path(parquet_child.__file__)
_WORDS = 2000


class ParquetRows:
    """The rows, and how many of all there are were read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.total = self.read = 0

    def __iter__(self) -> Iterator[FileRow]:
        command = [sys.executable, "-I", str(CHILD), str(self._path)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = cast(BinaryIO, child.stdout), cast(BinaryIO, child.stderr)
        try:
            first = out.readline(100)
            self.total = int(first) if first.strip().isdigit() else 0
            for self.read, value, error in json_lines(out):
                yield self.read, value, error
            if child.wait() != 0:
                raise Damaged(_reason(err, child.returncode))
        finally:
            child.kill()
            child.wait()
            out.close()
            err.close()


def _reason(stderr: BinaryIO, status: int) -> str:
    words = stderr.read(_WORDS).decode("utf-8", "replace").strip().splitlines()
    said = words[-1] if words else f"its reader ended with status {status}"
    return f"the Parquet file cannot be read: {said[:300]}"
