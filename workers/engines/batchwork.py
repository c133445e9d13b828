"""Batches of one call that several hands work on at once. Knows no HTTP.

A hand is a thread with a connection. What one of them fails at goes back for any other.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

R = TypeVar("R")


class BatchWork(Generic[R]):
    """Ranges of indices to work on, and a result for each index."""

    def __init__(self, batches: Iterable[range], hands: int) -> None:
        """Begin with these batches and so many hands."""
        self._changed = threading.Condition()
        self._waiting = deque(batches)
        self._under_way = 0
        self._hands = hands
        self._failure: BaseException | None = None
        self._found: dict[int, R] = {}

    def take(self) -> range | None:
        """Return a batch to work on; wait while others may still put one back; None = over."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._over)
            if self._over:
                return None
            self._under_way += 1
            return self._waiting.popleft()

    def settle(self, batch: range, results: Sequence[R]) -> None:
        """Note the results of a batch that was taken."""
        with self._changed:
            self._found.update(zip(batch, results, strict=True))
            self._done_with(())

    def put_back(self, *batches: range) -> None:
        """Replace a batch that was taken by others: itself again, or its parts."""
        with self._changed:
            self._done_with(batches)

    def fail(self, error: BaseException) -> None:
        """End the work for all."""
        with self._changed:
            self._failure = self._failure or error
            self._changed.notify_all()

    def leave(self, error: Exception) -> None:
        """Note that a hand is no longer there; the last one's reason is why the work failed."""
        with self._changed:
            self._hands -= 1
            last = not self._hands
        if last:
            self.fail(error)

    def pause(self, seconds: float) -> None:
        """Wait, but not after the work is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._over, timeout=seconds)

    def results(self) -> list[R]:
        """Return the results in the order of the indices, once all are there; raise the failure."""
        with self._changed:
            self._changed.wait_for(lambda: self._over)
            if self._failure:
                raise self._failure
            return [self._found[index] for index in sorted(self._found)]

    @property
    def _over(self) -> bool:
        return bool(self._failure) or not (self._waiting or self._under_way)

    def _done_with(self, more: Iterable[range]) -> None:
        self._waiting.extendleft(more)
        self._under_way -= 1
        self._changed.notify_all()
