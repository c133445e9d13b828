"""Figures of one run: how far, how fast, at what cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. `done` counts every item with a result, the other counts are parts of it.

    For generation items are problems, and `unusable` counts samples without a step.
    """

    done: int
    total: int
    unscored: int = 0
    refuted: int = 0
    unusable: int = 0

    @property
    def percent(self) -> int:
        """Share done, 0 to 100; 100 only when everything is done."""
        return 100 * self.done // self.total if self.total else 0


@dataclass(frozen=True, slots=True)
class Speed:
    """What came per second in the last minutes; `eta` is the time left in seconds at this speed."""

    items: float
    completions: float
    tokens: float
    eta: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What the run itself has spent; money is None without prices. `seconds` are of workers.

    `exhaustive`: what the published method would have drawn for the labeler's settled verdicts,
    instead of their `settled` completions; 0 where that means nothing.
    """

    completions: int
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    settled: int = 0
    exhaustive: int = 0
    money: float | None = None
    projected: float | None = None
    currency: str = ""

    @property
    def tokens(self) -> int:
        """All tokens."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def saving(self) -> float | None:
        """How many times fewer completions than by the published method; None where undefined."""
        return self.exhaustive / self.settled if self.settled and self.exhaustive else None
