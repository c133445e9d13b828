"""Whether a server may be asked now: a circuit breaker, and a limit where it is overloaded.

Knows no HTTP, no thread and no clock: times come in, as seconds of time.monotonic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from workers.engines.protocol import EngineUnavailable
from workers.engines.retrying import Retrying

SHRINK = 0.75
"""What an overloaded server is asked at once, relative to before."""

GROW = 0.25
"""Requests at once that it gets back after as many answers: slowly, for each trial too many costs
a pause."""


@dataclass(slots=True)
class Breaker:
    """Closed: requests pass. Open: none until a pause is over, then one probe, which decides.

    `retrying.attempts` failures in a row open it, and a hopeless one (wrong key, address or model)
    does so at once. Pauses grow while probes fail. An overloaded server (HTTP 429) rests as long
    as it asks for, and then gets fewer requests at once.
    """

    limit: float
    """Requests that may be under way."""
    retrying: Retrying = field(default_factory=Retrying)
    error: EngineUnavailable | None = None
    """The latest failure after the latest answer."""
    failing_since: float | None = None
    """When the first failure after the latest answer came."""
    opened: bool = False
    _most: float = 0.0
    _failures: int = 0
    _pauses: int = 0
    _until: float = 0.0
    _probing: bool = False

    def __post_init__(self) -> None:
        self._most = self.limit

    @property
    def hopeless(self) -> bool:
        """Say whether the latest failure was one that no other try mends."""
        return self.error is not None and not self.error.retry

    @property
    def next_try(self) -> float:
        """The time before which nothing is asked."""
        return self._until

    def room(self, now: float, under_way: int) -> int:
        """Return how many more requests may begin now."""
        if now < self._until:
            return 0
        if self.opened:
            return 0 if self._probing else 1
        return max(0, math.floor(self.limit) - under_way)

    def begin(self) -> bool:
        """Note that a request begins; return whether it is the probe."""
        probe, self._probing = self.opened, self.opened
        return probe

    def succeeded(self, probe: bool) -> None:
        """Note an answer. Only a probe closes: others began before it was opened."""
        self.failing_since, self._failures = None, 0
        self.limit = min(self._most, self.limit + GROW / self.limit)
        if probe or not self.opened:
            self.error, self.opened, self._probing, self._pauses = None, False, False, 0

    def failed(self, now: float, error: EngineUnavailable, *, probe: bool, overload: bool) -> None:
        """Note a failure."""
        self.error = error
        self.failing_since = now if self.failing_since is None else self.failing_since
        self._failures += 1
        if overload and not probe:
            self._slow_down(now, error.wait)
        elif probe or error.wait is not None or self._is_broken(error):
            self._open(now, error, probe)

    def withdrawn(self, probe: bool) -> None:
        """Note that a request was given up without an outcome."""
        if probe:
            self._probing = False

    def forget(self) -> None:
        """Let the next try happen at once, and count from there."""
        self.error = self.failing_since = None
        self._until, self._pauses = 0.0, 0

    def _is_broken(self, error: EngineUnavailable) -> bool:
        return not error.retry or self._failures >= self.retrying.attempts

    def _open(self, now: float, error: EngineUnavailable, probe: bool) -> None:
        if self.opened and not probe:
            return  # under way since before it was opened: it tells nothing new
        self.opened, self._probing = True, False
        self._rest(now, error.wait)

    def _slow_down(self, now: float, wished: float | None) -> None:
        if now >= self._until:
            self.limit = max(1.0, self.limit * SHRINK)
            self._rest(now, wished)
        elif wished is not None:  # one of many that were turned away together
            self._until = max(self._until, now + self.retrying.wait(1, wished))

    def _rest(self, now: float, wished: float | None) -> None:
        self._pauses += 1
        self._until = now + self.retrying.wait(self._pauses, wished)
