"""Read a file in batches: a large one in a process of its own, beside this one and Postgres."""

from __future__ import annotations

import fcntl
import pickle
import subprocess
import sys
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

from labeling.domain.refusals import Refusal
from labeling.services.importing import reading_child
from labeling.services.importing.batches import Batch, Plan, batches
from labeling.services.rowfiles import RowFile

APART = 8 * 10**6
"""Bytes from which on a process of its own is worth its start, a fifth of a second."""

_PIPE = 1 << 20
"""Bytes that the child may be ahead in sending: the most that Linux grants to everybody."""

_ROOT = Path(__file__).resolve().parents[3]


class ReaderLost(Refusal):
    """The process that read the file ended before the file did: what it had read stands."""

    status = 500
    code = "reader_lost"


def read(file: RowFile, plan: Plan) -> Generator[Batch, None, None]:
    """Yield the file's batches, each with the share of the file that is read up to its end."""
    if file.path.stat().st_size >= APART:
        yield from _from_child(file, plan)
        return
    for batch in batches(file, plan):
        batch.share = file.share
        yield batch


def _from_child(file: RowFile, plan: Plan) -> Generator[Batch, None, None]:
    command = [sys.executable, "-m", reading_child.__name__]
    child = subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    into, out = cast(BinaryIO, child.stdin), cast(BinaryIO, child.stdout)
    with suppress(OSError, AttributeError):  # a system may grant less, or know no such thing
        fcntl.fcntl(out, fcntl.F_SETPIPE_SZ, _PIPE)
    try:
        with into:
            pickle.dump((file.path.resolve(), file.kind, plan), into)
        while (batch := _next(child, out)) is not None:
            yield batch
    finally:
        child.kill()
        child.wait()
        out.close()


def _next(child: subprocess.Popen[bytes], out: BinaryIO) -> Batch | None:
    """Return the next batch, None at the end; raise what the child was refused with."""
    try:
        told = pickle.load(out)  # noqa: S301 - our own child's
    except (EOFError, pickle.UnpicklingError) as error:
        raise ReaderLost(
            "the process that reads the file was ended (status {status}), perhaps for want of "
            "memory; what it had read is kept: import the file again to go on",
            status=child.wait(),
        ) from error
    if isinstance(told, Exception):
        raise told
    return cast("Batch | None", told)
