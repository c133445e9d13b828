"""The child process that reads a large file: batches one after the other, then None, all pickled.

It is sent what to read, and ends once nobody takes what it sends. It knows no Django settings and
no database.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import BinaryIO

from labeling.domain.refusals import Refusal
from labeling.services.importing import garbage
from labeling.services.importing.batches import Plan, batches
from labeling.services.rowfiles import FileKind, RowFile


def main(into: BinaryIO, out: BinaryIO) -> None:
    """Send the batches of the file that is asked for, or the refusal that ends them."""
    path, kind, plan = pickle.load(into)  # noqa: S301 - from our own parent
    try:
        with garbage.rarely_sought():
            _send(path, kind, plan, out)
    except BrokenPipeError:
        sys.stderr.close()  # nor is there anybody to hear of it


def _send(path: Path, kind: FileKind, plan: Plan, out: BinaryIO) -> None:
    file = RowFile(path, kind)
    try:
        for batch in batches(file, plan):
            batch.share = file.share
            pickle.dump(batch, out, pickle.HIGHEST_PROTOCOL)
            out.flush()
    except Refusal as refusal:
        pickle.dump(refusal, out)
    else:
        pickle.dump(None, out)
    out.flush()


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
