"""What keeps a run from getting on, in words that say what to do. Knows no clock and no rows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

FRESH = 45.0
"""Seconds that a count of workers is good for: three of them may fail."""

STILL = 60.0
"""Seconds without a lease or a result after which a served run is said to wait for its turn."""

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


class Trouble(StrEnum):
    """Why a run stands still or stopped."""

    FAILED = "failed"
    ENGINE = "engine"
    UNCOUNTED = "uncounted"
    UNSERVED = "unserved"
    JUDGE = "judge"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a run now; times are seconds ago, None = never.

    `left`: items not done; `leases`: items that workers hold. `retry_in`: seconds until a failing
    engine is tried again. `served`: when workers of the run's queue were last counted, and how
    many `workers` then; `counted`: when any were. `unjudged`: items left that wait for a judge.
    """

    queue: str
    failed: bool
    running: bool
    left: int
    started: float
    progressed: float | None = None
    leases: int = 0
    reason: str = ""
    failures: int = 0
    retry_in: float | None = None
    served: float | None = None
    workers: int = 0
    counted: float | None = None
    unjudged: int = 0


@dataclass(frozen=True, slots=True)
class Attention:
    """A trouble in words, and what to do about it; `severe` where nothing happens without help."""

    trouble: Trouble
    text: str
    remedy: str = ""
    command: str = ""

    @property
    def severe(self) -> bool:
        """Whether a person must act."""
        return self.trouble in (Trouble.FAILED, Trouble.UNSERVED, Trouble.UNCOUNTED)


def attention(facts: Facts) -> Attention | None:
    """Return what keeps the run from getting on; None where nothing does."""
    if facts.failed:
        return Attention(
            Trouble.FAILED,
            f"Stopped: {facts.reason}",
            "What was labeled is kept. Mend the cause, then resume the run.",
        )
    if not facts.running or not facts.left:
        return None
    if facts.failures:
        return _engine(facts)
    if facts.leases or (facts.progressed is not None and facts.progressed <= FRESH):
        return None  # someone works, counted or not
    return _unattended(facts)


def spoken(seconds: float) -> str:
    """Return a time in its largest unit: "3 minutes"."""
    for size, unit in _UNITS:
        count = int(seconds // size)
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "a moment"


def _engine(facts: Facts) -> Attention:
    times = "" if facts.failures == 1 else f" {facts.failures} times in a row"
    when = "at once" if not facts.retry_in or facts.retry_in < 1 else f"in {spoken(facts.retry_in)}"
    return Attention(
        Trouble.ENGINE,
        f"The engine failed{times}: {facts.reason}",
        f"It is tried again {when}. What was labeled is kept.",
    )


def _unattended(facts: Facts) -> Attention | None:
    served = facts.served is not None and facts.served <= FRESH
    if not served and facts.started > FRESH:
        counted = facts.counted is not None and facts.counted <= FRESH
        return _unserved(facts) if counted else _uncounted(facts)
    if served and facts.unjudged >= facts.left:
        return Attention(
            Trouble.JUDGE,
            f"All {facts.left:,} solutions that are left wait for the judge's verdict.",
            "They follow as the judge's run goes on. Start or resume that run if it is not alive.",
        )
    if served and min(facts.started, facts.progressed or facts.started) > STILL:
        who = "1 worker" if facts.workers == 1 else f"{facts.workers} workers"
        return Attention(
            Trouble.BUSY,
            f"Waits for its turn: {who} of the queue {facts.queue} work on other runs.",
            "More workers of this queue would work on both.",
        )
    return None


def _unserved(facts: Facts) -> Attention:
    seen = facts.served is not None and facts.served < facts.started
    since = (
        f"for {spoken(facts.served or 0)}"
        if seen
        else f"since this run was started {spoken(facts.started)} ago"
    )
    return Attention(
        Trouble.UNSERVED,
        f"No worker has served the queue {facts.queue} {since}.",
        "Nothing is lost: a worker goes on where the last one stopped. Start one:",
        f"celery -A annotator.celery worker --queues {facts.queue}",
    )


def _uncounted(facts: Facts) -> Attention:
    since = f"for {spoken(facts.counted)}" if facts.counted is not None else "yet"
    return Attention(
        Trouble.UNCOUNTED,
        f"Workers have not been counted {since}, so whether one serves the queue "
        f"{facts.queue} is not known.",
        "The schedule (celery beat), the worker of the queue default or Redis is down; "
        "/readyz tells of Redis. Start them:",
        "celery -A annotator.celery worker --beat --queues default",
    )
