"""Numbers that took long, kept by the process for a while: who asks later does not wait again.

Only for sums over many thousand labels of people, whose medians cannot be added up from parts.
What is quick is never kept, so small projects always show the newest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import Any, TypeVar

from django.db import connection

Value = TypeVar("Value")

SLOW = 0.25
"""Seconds that a computation may take without being kept."""

FRESH = 60.0
"""Seconds after which a kept value is computed anew, in the background, when somebody asks."""

LATEST = 600.0
"""Seconds after which nobody is shown a kept value any more."""

MOST = 200


@dataclass(slots=True)
class _Kept:
    value: Any
    at: float
    busy: bool = False


@dataclass(slots=True)
class Remembered:
    """Values by key; safe among a process's threads. `clock` in seconds."""

    clock: Callable[[], float] = time.monotonic
    _kept: dict[Hashable, _Kept] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def get(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        """Return the kept value, else compute it, and keep it where that took long."""
        with self._lock:
            kept = self._kept.get(key)
            age = self.clock() - kept.at if kept else LATEST
            again = kept is not None and age >= FRESH and not kept.busy
            if kept is not None and again:
                kept.busy = True
        if kept is None or age >= LATEST:
            return self._compute(key, compute)
        if again:
            Thread(target=self._refresh, args=(key, compute), daemon=True).start()
        value: Value = kept.value
        return value

    def _compute(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        begun = self.clock()
        value = compute()
        now = self.clock()
        with self._lock:
            self._kept.pop(key, None)
            if now - begun >= SLOW:
                self._kept[key] = _Kept(value, now)
                for oldest in list(self._kept)[:-MOST]:
                    del self._kept[oldest]
        return value

    def _refresh(self, key: Hashable, compute: Callable[[], Value]) -> None:
        try:
            self._compute(key, compute)
        except Exception:
            with self._lock:  # the next one who asks waits and sees what is wrong
                self._kept.pop(key, None)
            raise
        finally:
            connection.close()  # the thread's own
