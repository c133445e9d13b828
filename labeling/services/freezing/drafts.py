"""A snapshot's files under way, in a folder of their own that outlives the process.

`journal.json` says up to where they are good. It is only believed when the files' bytes up to
there have the hashes that it names: neither a killed process nor a lost disk cache can spoil a
release.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from labeling.domain.release_rows import FRAMES, Frame, Tally

SPLITS = ("train", "test")
_JOURNAL = "journal.json"
_READ = 1 << 20


class Draft:
    """The native files of a snapshot, of which `last` is the content hash written last.

    `stamp` is what the bytes depend on beside the order: a draft of another stamp is begun anew.
    """

    def __init__(self, folder: Path, stamp: str) -> None:
        self.folder, self._stamp = folder, stamp
        self.last, self.refused = "", Counter[str]()
        self.sources, self.labelers = Counter[str](), Counter[str]()
        self._tallies = {split: Tally() for split in SPLITS}
        self._hashes = {split: hashlib.sha256() for split in SPLITS}
        self._waiting: dict[str, list[bytes]] = {split: [] for split in SPLITS}
        self._seen: dict[Frame, int] = {}
        if not self._resume():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        self._files = {split: (folder / f"{split}.jsonl").open("ab") for split in SPLITS}

    @property
    def done(self) -> int:
        """How many solutions were looked at."""
        return sum(tally.records for tally in self.tallies.values()) + self.refused.total()

    @property
    def tallies(self) -> dict[str, Tally]:
        """What the files of each split hold, with what waits for them."""
        self._count()
        return self._tallies

    def add(self, last: str, lines: Iterable[tuple[bytes, Frame]]) -> None:
        """Take lines and note why others are empty; `last` is the content hash of the last one."""
        seen, waiting = self._seen, self._waiting
        for data, frame in lines:
            seen[frame] = seen.get(frame, 0) + 1
            if data:
                waiting[frame.split].append(data)
        self.last = last
        if len(seen) > FRAMES:
            self._count()

    def write(self) -> None:
        """Hand what waits to the files."""
        for split, lines in self._waiting.items():
            data = b"".join(lines)
            self._files[split].write(data)
            self._hashes[split].update(data)
            lines.clear()

    def note(self) -> None:
        """Write the journal: a killed process' successor goes on from here."""
        self.write()
        self._count()
        sizes = {}
        for split, file in self._files.items():
            file.flush()
            sizes[split] = file.tell()
        state = {
            "stamp": self._stamp,
            "last": self.last,
            "refused": self.refused,
            "sources": self.sources,
            "labelers": self.labelers,
            "tallies": {split: asdict(tally) for split, tally in self._tallies.items()},
            "sizes": sizes,
            "hashes": self.hashes(),
        }
        fresh = self.folder / f"{_JOURNAL}.new"
        fresh.write_text(json.dumps(state))
        fresh.replace(self.folder / _JOURNAL)

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of each file up to now."""
        return {split: digest.hexdigest() for split, digest in self._hashes.items()}

    def finish(self) -> None:
        """Bring all bytes to the disk."""
        self.note()
        for file in self._files.values():
            os.fsync(file.fileno())

    def sealed(self) -> None:
        """Take the journal away: the folder is complete."""
        (self.folder / _JOURNAL).unlink(missing_ok=True)

    def close(self) -> None:
        """Close the files as they are."""
        for file in self._files.values():
            file.close()

    def remove(self) -> None:
        """Remove all that is left of the draft; nothing once it was moved into place."""
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _count(self) -> None:
        """Add what was seen since the last time to the sums: lines of equal labels at once."""
        for frame, times in self._seen.items():
            if frame.refused:
                self.refused[frame.refused] += times
                continue
            self._tallies[frame.split].add(frame.one, times)
            self.sources[frame.source] += times
            for labeler in frame.labelers:
                self.labelers[labeler] += times
        self._seen.clear()

    def _resume(self) -> bool:
        try:
            state: dict[str, Any] = json.loads((self.folder / _JOURNAL).read_bytes())
        except (OSError, ValueError):
            return False
        if state.get("stamp") != self._stamp or not self._restore(state):
            self._hashes = {split: hashlib.sha256() for split in SPLITS}
            return False
        self.last, self.refused = state["last"], Counter(state["refused"])
        self.sources, self.labelers = Counter(state["sources"]), Counter(state["labelers"])
        self._tallies = {split: Tally(**state["tallies"][split]) for split in SPLITS}
        return True

    def _restore(self, state: dict[str, Any]) -> bool:
        """Cut the files to what the journal knows; say whether they hold what it says."""
        for split in SPLITS:
            path, left = self.folder / f"{split}.jsonl", state["sizes"][split]
            if not path.exists() or path.stat().st_size < left:
                return False
            with path.open("r+b") as file:
                file.truncate(left)
                while data := file.read(_READ):
                    self._hashes[split].update(data)
        return self.hashes() == state["hashes"]
