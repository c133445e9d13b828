"""Try again what failed for a passing reason: exponential back-off with jitter."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from workers.engines.protocol import EngineUnavailable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Retrying:
    """At most `attempts` tries; waits double from `first` to at most `longest` seconds."""

    attempts: int = 5
    first: float = 0.5
    longest: float = 20.0
    sleep: Callable[[float], None] = time.sleep

    def run(self, action: Callable[[], T]) -> T:
        """Return the action's result; re-raise its last EngineUnavailable.

        A server's own wish ("Retry-After") replaces the computed wait, up to `longest`.
        """
        for attempt in range(1, self.attempts + 1):
            try:
                return action()
            except EngineUnavailable as error:
                if attempt == self.attempts or not error.retry:
                    raise
                self.sleep(self._wait(attempt, error.wait))
        raise AssertionError("unreachable")

    def _wait(self, attempt: int, wished: float | None) -> float:
        if wished is not None:
            return min(wished, self.longest)
        # Jitter: workers that failed together must not come back together.
        return min(self.longest, self.first * 2 ** (attempt - 1)) * random.uniform(0.5, 1.0)  # noqa: S311
