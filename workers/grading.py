"""Grade final answers: plain rules first, then math-verify in a worker that can be killed.

Nothing that is graded is ever run as code. Works in any thread and in Celery's pool processes.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

from labeling.domain.answers import MAX_ANSWER, equal
from labeling.domain.answers.magnitude import is_too_big
from labeling.domain.answers.notation import latex
from workers.grading_pool import GraderUnavailable, Worker, WorkerDied, WorkerPool

__all__ = ["Grade", "Grader", "GraderUnavailable", "shared_grader"]


@dataclass(frozen=True, slots=True)
class Grade:
    """Whether a prediction equals the gold answer, and who said so.

    `timeout` means that the comparison broke its limits (time or memory), `too big` that it was
    not even tried: not correct.
    """

    correct: bool
    by: Literal["exact", "math-verify", "timeout", "too big"]


class Grader:
    """Grades in any number of threads, caching the last answers. Use as a context."""

    def __init__(self, seconds: float = 1.5, cache_size: int = 65_536, workers: int = 4) -> None:
        """Allow `seconds` of wall time per grade. The child starts in the background, at once."""
        self._seconds, self._cache_size = seconds, cache_size
        self._cache: OrderedDict[tuple[str, str], Grade] = OrderedDict()
        self._lock = threading.Lock()
        self._pool = WorkerPool(workers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def grade(self, gold: str, prediction: str | None) -> Grade:
        """Compare a prediction with the gold answer; None (no answer was written) is wrong.

        Raises GraderUnavailable where a comparison needs the child and it does not start.
        """
        if prediction is None:
            return Grade(False, "exact")
        key = (gold, prediction)
        with self._lock:
            if key in self._cache:
                self._cache.move_to_end(key)
                return self._cache[key]
        return self._graded(gold, prediction)

    def close(self) -> None:
        """End the child and its workers."""
        self._pool.close()

    def _graded(self, gold: str, prediction: str) -> Grade:
        with _Questions(self._pool, self._seconds) as questions:
            said = equal(gold, prediction, questions.ask)
        grade = Grade(bool(said), questions.by)
        if not questions.is_starved and max(len(gold), len(prediction)) <= MAX_ANSWER:
            self._remember((gold, prediction), grade)
        return grade

    def _remember(self, key: tuple[str, str], grade: Grade) -> None:
        with self._lock:
            self._cache[key] = grade
            if len(self._cache) > self._cache_size:
                self._cache.popitem(last=False)


class _Questions:
    """The questions of one grade, all to one worker, within one time limit."""

    def __init__(self, pool: WorkerPool, seconds: float) -> None:
        self._pool, self._deadline = pool, time.monotonic() + seconds
        self._worker: Worker | None = None
        self.is_starved = False
        """No worker was free in time: a timeout that says nothing of the answer."""
        self.by: Literal["exact", "math-verify", "timeout", "too big"] = "exact"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._worker is not None:
            self._pool.give_back(self._worker, usable=self.by != "timeout")

    def ask(self, gold: str, prediction: str) -> bool | None:
        """Have two normal forms compared; None once a limit is broken."""
        if self.by == "timeout":
            return None
        if is_too_big(gold) or is_too_big(prediction):
            self.by = "too big"
            return None
        answer = self._answer(latex(gold), latex(prediction))
        self.by = "timeout" if answer is None else "math-verify" if self.by == "exact" else self.by
        return answer

    def _answer(self, gold: str, prediction: str) -> bool | None:
        """Ask, and once more where something from outside killed the worker."""
        for _ in range(2):
            if self._worker is None:
                self._worker = self._taken()
            if self._worker is None or self._left() <= 0:
                return None
            try:
                return self._worker.ask(gold, prediction, self._left())
            except WorkerDied:
                self._pool.give_back(self._worker, usable=False)
                self._worker = None
        return None

    def _taken(self) -> Worker | None:
        """Take a worker; the child's start, which no answer causes, is not this grade's time."""
        began = time.monotonic()
        self._pool.wait_until_ready()
        self._deadline += time.monotonic() - began
        worker = self._pool.take(self._left())
        self.is_starved = worker is None
        return worker

    def _left(self) -> float:
        return max(0.0, self._deadline - time.monotonic())


_shared: dict[int, Grader] = {}


def shared_grader() -> Grader:
    """Return this process's grader, so that tasks share its child and its cache.

    Keyed by process id: a forked worker must not talk to its parent's child.
    """
    pid = os.getpid()
    if pid not in _shared:
        _shared[pid] = Grader()
        atexit.register(_shared[pid].close)  # in a fork too, whose Popen kills no foreign child
    return _shared[pid]
