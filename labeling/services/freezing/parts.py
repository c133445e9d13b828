"""Lines of a release on their way: in a few files by the beginning of their content hash.

Lines begin with their solution's content hash, so the order of the bytes is that of the release.
"""

from __future__ import annotations

import os
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

_KEY, _KEYS = len('{"id":"'), len('{"id":"') + 32
"""Where a line's content hash begins and ends."""

_HELD = 1 << 19
"""Bytes that wait before they are written: more would leave a core's own cache, which costs more
than writing seldom saves."""

_SORTED = 1 << 20
"""Bytes that are given together."""

_READ = 1 << 20

State = dict[str, tuple[int, int]]
"""The size and the CRC-32 of each part by its name: its split, a dot, its hashes' first digit."""


class Parts:
    """The parts in a folder; `state` is what is good of those that are there."""

    def __init__(self, folder: Path, state: Mapping[str, tuple[int, int]]) -> None:
        self.state: State = {name: (size, crc) for name, (size, crc) in state.items()}
        self._folder = folder
        self._files: dict[str, BinaryIO] = {}
        self._waiting: dict[str, defaultdict[bytes, list[bytes]]] = {}
        self._held, self._done = 0, list[str]()

    def restore(self) -> bool:
        """Cut the parts to what the state knows; say whether they hold what it says."""
        for path in self._folder.glob("*"):
            if path.name not in self.state:
                path.unlink()
        return all(self._restored(name, *known) for name, known in self.state.items())

    def add(self, split: str, lines: list[bytes]) -> None:
        """Take lines."""
        waiting = self._waiting.setdefault(split, defaultdict(list))
        for line in lines:
            waiting[line[_KEY : _KEY + 1]].append(line)
        self._held += sum(map(len, lines))
        if self._held > _HELD:
            self._write()

    def flush(self) -> None:
        """Hand all to the files."""
        self._write()
        for file in self._files.values():
            file.flush()

    def sorted(self, name: str) -> Iterator[bytes]:
        """Give the lines of a part in order, some at a time; the part stays.

        Its lines are read where they stand: it has just been looked through, and is at hand.
        """
        places = self._places(name)
        places.sort()
        lines: list[bytes] = []
        size = 0
        with (self._folder / name).open("rb") as file:
            handle = file.fileno()
            for place in places:
                length = int.from_bytes(place[40:], "big")
                lines.append(os.pread(handle, length, int.from_bytes(place[32:40], "big")))
                size += length
                if size > _SORTED:
                    yield b"".join(lines)
                    lines.clear()
                    size = 0
        yield b"".join(lines)

    def drop(self, name: str) -> None:
        """Leave a part out of the state; its file goes with the next `sweep`."""
        del self.state[name]
        self._done.append(name)

    def sweep(self) -> None:
        """Remove the files of what was dropped, now that no journal names them."""
        for name in self._done:
            (self._folder / name).unlink()
        self._done.clear()

    def close(self) -> None:
        """Close the files as they are."""
        while self._files:
            self._files.popitem()[1].close()

    def _write(self) -> None:
        for split, waiting in self._waiting.items():
            for key, lines in waiting.items():
                name, data = f"{split}.{key.decode()}", b"".join(lines)
                size, crc = self.state.get(name, (0, 0))
                self._file(name).write(data)
                self.state[name] = size + len(data), zlib.crc32(data, crc)
            waiting.clear()
        self._held = 0

    def _file(self, name: str) -> BinaryIO:
        if name not in self._files:
            self._files[name] = (self._folder / name).open("ab")
        return self._files[name]

    def _places(self, name: str) -> list[bytes]:
        """Return for each line its hash, where it begins (8 bytes) and its length."""
        found, at = [], 0
        with (self._folder / name).open("rb", buffering=_READ) as file:
            for line in file:
                length = len(line)
                found.append(line[_KEY:_KEYS] + (at << 64 | length).to_bytes(16, "big"))
                at += length
        return found

    def _restored(self, name: str, size: int, crc: int) -> bool:
        path, found = self._folder / name, 0
        if not path.exists() or path.stat().st_size < size:
            return False
        os.truncate(path, size)
        with path.open("rb") as file:
            while data := file.read(_READ):
                found = zlib.crc32(data, found)
        return found == crc
