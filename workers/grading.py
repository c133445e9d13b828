"""Grade final answers: plain rules first, then math-verify in a child that can be killed.

Nothing that is graded is ever run as code. Works in any thread and in Celery's pool processes.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import math
import os
import select
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from labeling.domain.answers import MAX_ANSWER, quick_equal

START_SECONDS = 60.0
"""A child may take this long to import its library (1 s on an idle machine)."""


@dataclass(frozen=True, slots=True)
class Grade:
    """Whether a prediction equals the gold answer, and who said so.

    `timeout` means that the comparison broke its limits (time or memory): not correct.
    """

    correct: bool
    by: Literal["exact", "math-verify", "timeout"]


class GraderUnavailable(RuntimeError):
    """The grading child does not start; the text says why."""


class Grader:
    """Grades, caching the last answers. Use as a context; one comparison runs at a time."""

    def __init__(self, seconds: float = 2.0, cache_size: int = 65_536) -> None:
        """Allow `seconds` of wall time per comparison, beyond the child's start."""
        self._seconds, self._cache_size = seconds, cache_size
        self._cache: OrderedDict[tuple[str, str], Grade] = OrderedDict()
        self._child: _Child | None = None
        self._lock = threading.Lock()

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
        """Compare a prediction with the gold answer; None (no answer was written) is wrong."""
        if prediction is None or max(len(gold), len(prediction)) > MAX_ANSWER:
            return Grade(gold == prediction, "exact")
        said = quick_equal(gold, prediction)
        if said is not None:
            return Grade(said, "exact")
        with self._lock:
            return self._cached(gold, prediction)

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._end_child()

    def _cached(self, gold: str, prediction: str) -> Grade:
        key = (gold, prediction)
        if key not in self._cache:
            self._cache[key] = self._compared(gold, prediction)
            if len(self._cache) > self._cache_size:
                self._cache.popitem(last=False)
        self._cache.move_to_end(key)
        return self._cache[key]

    def _compared(self, gold: str, prediction: str) -> Grade:
        child = self._child = self._child or _Child(self._seconds)
        child.wait_until_ready()
        answer = child.ask(gold, prediction, self._seconds)
        if answer is None:
            # The next child starts now, in the background: the next comparison finds it ready.
            self._end_child()
            self._child = _Child(self._seconds)
            return Grade(False, "timeout")
        return Grade(answer, "math-verify")

    def _end_child(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None


_shared: dict[int, Grader] = {}


def shared_grader() -> Grader:
    """Return this process's grader, so that tasks share its child and its cache.

    Keyed by process id: a forked worker must not talk to its parent's child.
    """
    pid = os.getpid()
    if pid not in _shared:
        _shared[pid] = Grader()
        atexit.register(_shared[pid].close)
    return _shared[pid]


class _Child:
    """One run of workers/grading_child.py."""

    def __init__(self, seconds: float) -> None:
        script = Path(__file__).with_name("grading_child.py")
        # Not multiprocessing: Celery's pool processes are daemons and may have no such children.
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(script), str(math.ceil(seconds) + 1)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        self._ready = False

    def wait_until_ready(self) -> None:
        if not self._ready:
            if self._line(START_SECONDS) != b"ready":
                self.end()
                raise GraderUnavailable("the grading process did not start; is math-verify there?")
            self._ready = True

    def ask(self, gold: str, prediction: str, seconds: float) -> bool | None:
        """Return the child's answer; None where it gave up, died or took too long."""
        assert self._process.stdin is not None  # noqa: S101 - a pipe, for the type
        try:
            self._process.stdin.write(json.dumps([gold, prediction]).encode() + b"\n")
        except BrokenPipeError:
            return None
        line = self._line(seconds)
        return None if line is None else {b"true": True, b"false": False}.get(line)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()

    def _line(self, seconds: float) -> bytes | None:
        """Return the next line of the child; None at its end or after `seconds`."""
        assert self._process.stdout is not None  # noqa: S101 - a pipe, for the type
        deadline, data = time.monotonic() + seconds, b""
        while not data.endswith(b"\n"):
            left = max(0.0, deadline - time.monotonic())
            if not select.select([self._process.stdout], [], [], left)[0]:
                return None
            piece = self._process.stdout.read(4096)
            if not piece:
                return None
            data += piece
        return data.strip()
