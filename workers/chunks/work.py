"""Lease a chunk of a run, keep the lease alive while it is worked on, give it back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from uuid import UUID

from django.db import connection
from django.utils import timezone

from labeling.models import Run, User
from labeling.models.runs import RunKind
from labeling.services import claims, runs
from workers.chunks import generate, judge, mc, score

SIZES = {RunKind.GENERATE: 40, RunKind.MC: 96, RunKind.JUDGE: 128, RunKind.SCORE: 256}
"""Items leased at once: enough to fill an engine, few enough to lose little in a crash."""

_CHUNKS: dict[str, Callable[[Run, Sequence[int], User], Iterator[int]]] = {
    RunKind.GENERATE: generate.draw,
    RunKind.MC: mc.label,
    RunKind.JUDGE: judge.label,
    RunKind.SCORE: score.label,
}


def work_on(*, run: Run, by: User) -> int:
    """Lease a chunk, work on it, store results as they come; return how many were stored.

    0 = nothing could be leased. The lease is given back also when the engine fails, with what was
    stored until then kept.
    """
    token, ids = claims.claim(run=run, size=SIZES[RunKind(run.kind)], now=timezone.now())
    if not ids:
        return 0
    stored = 0
    with _Heartbeat(token):
        try:
            before = time.monotonic()
            for count in _CHUNKS[run.kind](run, ids, by):
                stored += count
                after = time.monotonic()
                runs.progressed(run=run, seconds=after - before, now=timezone.now())
                before = after
        finally:
            claims.release(token=token)
    return stored


class _Heartbeat:
    """Renew a lease from a thread of its own while the engine is busy."""

    def __init__(self, token: UUID) -> None:
        self._token = token
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _beat(self) -> None:
        try:
            while not self._done.wait(claims.LEASE.total_seconds() / 4):
                claims.renew(token=self._token, now=timezone.now())
        finally:
            connection.close()
