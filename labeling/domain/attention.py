"""What keeps a run from getting on, in words that say what to do. Knows no clock and no rows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from labeling.domain.phrases import Phrase, marked

FRESH = 45.0
"""Seconds that a count of workers is good for: three of them may fail."""

STILL = 60.0
"""Seconds without a lease or a result after which a served run is said to wait for its turn."""

_UNITS = (
    (86_400, marked("{count} day"), marked("{count} days")),
    (3_600, marked("{count} hour"), marked("{count} hours")),
    (60, marked("{count} minute"), marked("{count} minutes")),
    (1, marked("{count} second"), marked("{count} seconds")),
)


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
            Phrase("Stopped: {reason}", reason=facts.reason),
            Phrase("What was labeled is kept. Mend the cause, then resume the run."),
        )
    if not facts.running or not facts.left:
        return None
    if facts.failures:
        return _engine(facts)
    if facts.leases or (facts.progressed is not None and facts.progressed <= FRESH):
        return None  # someone works, counted or not
    return _unattended(facts)


def spoken(seconds: float) -> Phrase:
    """Return a time in its largest unit: "3 minutes"."""
    for size, one, more in _UNITS:
        count = int(seconds // size)
        if count:
            return Phrase(more if count > 1 else one, count=count)
    return Phrase("a moment")


def _workers(count: int) -> Phrase:
    return (
        Phrase("{count} worker", count=1) if count == 1 else Phrase("{count} workers", count=count)
    )


def _engine(facts: Facts) -> Attention:
    text = Phrase("The engine failed: {reason}", reason=facts.reason)
    if facts.failures > 1:
        text = Phrase(
            "The engine failed {count} times in a row: {reason}",
            count=facts.failures,
            reason=facts.reason,
        )
    remedy = Phrase("It is tried again at once. What was labeled is kept.")
    if facts.retry_in and facts.retry_in >= 1:
        time = spoken(facts.retry_in)
        remedy = Phrase("It is tried again in {time}. What was labeled is kept.", time=time)
    return Attention(Trouble.ENGINE, text, remedy)


def _unattended(facts: Facts) -> Attention | None:
    served = facts.served is not None and facts.served <= FRESH
    if not served and facts.started > FRESH:
        counted = facts.counted is not None and facts.counted <= FRESH
        return _unserved(facts) if counted else _uncounted(facts)
    if served and facts.unjudged >= facts.left:
        return Attention(
            Trouble.JUDGE,
            Phrase(
                "All {count:,} solutions that are left wait for the judge's verdict.",
                count=facts.left,
            ),
            Phrase(
                "They follow as the judge's run goes on. "
                "Start or resume that run if it is not alive."
            ),
        )
    if served and min(facts.started, facts.progressed or facts.started) > STILL:
        return Attention(
            Trouble.BUSY,
            Phrase(
                "Waits for its turn: {workers} of the queue {queue} work on other runs.",
                workers=_workers(facts.workers),
                queue=facts.queue,
            ),
            Phrase("More workers of this queue would work on both."),
        )
    return None


def _unserved(facts: Facts) -> Attention:
    seen = facts.served is not None and facts.served < facts.started
    if seen:
        text = Phrase(
            "No worker has served the queue {queue} for {time}.",
            queue=facts.queue,
            time=spoken(facts.served or 0),
        )
    else:
        text = Phrase(
            "No worker has served the queue {queue} since this run was started {time} ago.",
            queue=facts.queue,
            time=spoken(facts.started),
        )
    return Attention(
        Trouble.UNSERVED,
        text,
        Phrase("Nothing is lost: a worker goes on where the last one stopped. Start one:"),
        f"celery -A annotator.celery worker --queues {facts.queue}",
    )


def _uncounted(facts: Facts) -> Attention:
    if facts.counted is None:
        text = Phrase(
            "Workers have not been counted yet, so whether one serves the queue {queue} "
            "is not known.",
            queue=facts.queue,
        )
    else:
        text = Phrase(
            "Workers have not been counted for {time}, so whether one serves the queue {queue} "
            "is not known.",
            time=spoken(facts.counted),
            queue=facts.queue,
        )
    return Attention(
        Trouble.UNCOUNTED,
        text,
        Phrase(
            "The schedule (celery beat), the worker of the queue default or Redis is down; "
            "/readyz tells of Redis. Start them:"
        ),
        "celery -A annotator.celery worker --beat --queues default",
    )
