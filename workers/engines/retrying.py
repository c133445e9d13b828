"""How long to wait before what failed for a passing reason is tried again."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retrying:
    """At most `attempts` failures in a row; waits double from `first` to at most `longest` seconds.

    A server's own wish ("Retry-After") replaces the computed wait, up to `longest_wish` seconds.
    """

    attempts: int = 5
    first: float = 0.5
    longest: float = 20.0
    longest_wish: float = 120.0

    def wait(self, attempt: int, wished: float | None = None) -> float:
        """Return the seconds to wait after the `attempt`-th failure in a row (from 1)."""
        if wished is not None:
            return min(wished, self.longest_wish)
        # Jitter: workers that failed together must not come back together.
        doubled = self.first * 2.0 ** min(attempt - 1, 30)
        return min(self.longest, doubled) * random.uniform(0.5, 1.0)  # noqa: S311
