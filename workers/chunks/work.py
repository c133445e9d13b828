"""A worker's shift on a run: lease items as the engine has room, store results as they come."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID, uuid4

from django.db import DatabaseError, connection
from django.utils import timezone

from labeling.models import Run, User
from labeling.models.runs import RunKind
from labeling.services import claims, runs
from workers.chunks import score
from workers.chunks.desks import Desk
from workers.chunks.generate import GenerateDesk
from workers.chunks.judge import JudgeDesk
from workers.chunks.mc import McDesk
from workers.chunks.models import engine_of
from workers.labeling.flow import Talk, converse

LEASED_AT_ONCE = 256
"""Items added to a lease at once, at most."""

STORE_EVERY = 32
"""Results stored in one transaction."""

STORE_AFTER = 2.0
"""Seconds after which fewer are stored as well: what a killed worker may have to do again."""

LOOK_AGAIN = 2.0
"""Seconds before a worker that found nothing to lease looks again while it has work under way."""

SHIFT = 5.0
"""Seconds after which a worker stops leasing if other runs wait for one."""

_DESKS: dict[str, Callable[[Run], Desk[Any]]] = {
    RunKind.GENERATE: GenerateDesk,
    RunKind.MC: McDesk,
    RunKind.JUDGE: JudgeDesk,
}


def work_on(*, run: Run, by: User) -> int:
    """Work on the run until nothing of it can be leased; return how many items were done.

    After SHIFT seconds other runs that wait are given way. The lease is given back also when the
    engine fails, with what was stored until then kept.
    """
    lease = _Lease(run)
    with _Heartbeat(lease.token):
        try:
            return _score(run, lease, by) if run.kind == RunKind.SCORE else _talk(run, lease, by)
        finally:
            _give_back(lease)


def _give_back(lease: _Lease) -> None:
    try:
        claims.release(token=lease.token)
    except DatabaseError:
        connection.close()  # the lease ends by itself


def _talk(run: Run, lease: _Lease, by: User) -> int:
    first = lease.more(1)
    if not first:
        return 0  # before an engine is opened for nothing
    desk = _DESKS[run.kind](run)
    tray = _Tray(run, desk, lease, by)
    waiting = [desk.talks(first)]

    def pull(room: int) -> Sequence[Talk[Any]]:
        return waiting.pop() if waiting else desk.talks(lease.more(min(room, LEASED_AT_ONCE)))

    try:
        for results in converse(engine_of(run), pull):
            tray.put(results)
    finally:
        tray.empty()
    return tray.stored


def _score(run: Run, lease: _Lease, by: User) -> int:
    stored, before = 0, time.monotonic()
    for items, count in score.label(run, lease.more, by):
        stored += count
        lease.done(items)
        after = time.monotonic()
        runs.progressed(run=run, seconds=after - before, now=timezone.now())
        before = after
    return stored


class _Lease:
    """The items that this worker holds; it grows until the shift is over."""

    def __init__(self, run: Run) -> None:
        self.token = uuid4()
        self._run, self._after = run, 0
        self._look_at, self._end = 0.0, time.monotonic() + SHIFT

    def more(self, size: int) -> Sequence[int]:
        """Lease about `size` more items; none where there are none now or the shift is over."""
        now = time.monotonic()
        if now >= self._end:
            self._end = now + SHIFT
            if runs.others_wait(run=self._run, now=timezone.now()):
                self._look_at = math.inf  # what is under way is finished, then others have a turn
        if now < self._look_at:
            return ()
        # What lies before the last lease is mostly done: to look there first would take longer
        # with every lease.
        items = self._claim(size)
        if not items and self._after:
            self._after = 0
            items = self._claim(size)
        if not items:
            self._look_at = now + LOOK_AGAIN
        return items

    def done(self, items: Sequence[int]) -> None:
        """Give back what is stored."""
        claims.release(token=self.token, items=items)

    def _claim(self, size: int) -> Sequence[int]:
        lease = claims.claim(
            run=self._run, token=self.token, size=size, now=timezone.now(), after=self._after
        )
        self._after = lease.last
        return lease.items


class _Tray:
    """Results that wait to be stored together."""

    def __init__(self, run: Run, desk: Desk[Any], lease: _Lease, by: User) -> None:
        self._run, self._desk, self._lease, self._by = run, desk, lease, by
        self._results: list[Any] = []
        self._since = self._worked_since = time.monotonic()
        self.stored = 0

    def put(self, results: Sequence[Any]) -> None:
        """Add results; store all once they are many or old."""
        if not self._results:
            self._since = time.monotonic()
        self._results += results
        if len(self._results) >= STORE_EVERY or time.monotonic() - self._since > STORE_AFTER:
            self.empty()

    def empty(self) -> None:
        """Store everything."""
        if not self._results:
            return
        results, self._results = self._results, []
        for begin in range(0, len(results), STORE_EVERY):
            some = results[begin : begin + STORE_EVERY]
            self._lease.done(self._desk.store(some, self._by))
            self.stored += len(some)
        now = time.monotonic()
        runs.progressed(run=self._run, seconds=now - self._worked_since, now=timezone.now())
        self._worked_since = now


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
                try:
                    claims.renew(token=self._token, now=timezone.now())
                except DatabaseError:
                    connection.close()  # the next beat takes another connection
        finally:
            connection.close()
