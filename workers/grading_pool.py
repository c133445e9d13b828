"""The grader's processes, seen from the grading process: one child that forks workers."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

START_SECONDS = 60.0
"""The child may take this long to import its libraries (1 s on an idle machine)."""


class GraderUnavailable(RuntimeError):
    """The grading child does not start; the text says why."""


class WorkerDied(RuntimeError):
    """Something other than its time limit ended a worker."""


class Worker:
    """One connection to a worker, which is forked when the child gets to it."""

    def __init__(self, child: Child) -> None:
        self._channel, theirs = socket.socketpair()
        with theirs:
            child.fork(theirs)

    def is_alive(self) -> bool:
        """Say whether nothing ended the idle worker: its end of the channel is open."""
        return not _is_readable(self._channel, 0.0)

    def ask(self, gold: str, prediction: str, seconds: float) -> bool | None:
        """Return the worker's answer; None where it gave up or `seconds` passed.

        Raises WorkerDied where it ended before.
        """
        deadline = time.monotonic() + seconds
        line = json.dumps([gold, prediction, seconds]).encode() + b"\n"
        try:
            self._channel.sendall(line)
            answer = _line(self._channel, deadline)
        except OSError as error:
            raise WorkerDied from error
        if not answer and time.monotonic() < deadline:
            raise WorkerDied
        return {b"true\n": True, b"false\n": False}.get(answer)

    def close(self) -> None:
        """Hang up: the worker ends, at the latest when its comparison's time is over."""
        self._channel.close()


class Child:
    """One run of workers/grading_child.py."""

    def __init__(self) -> None:
        """Start it, without waiting until it is ready."""
        self._control, theirs = socket.socketpair()
        self._is_ready = False
        script = Path(__file__).with_name("grading_child.py")
        # Not multiprocessing: Celery's pool processes are daemons and may have no such children.
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(script), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the parent, which ends its tasks first
            )

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def wait_until_ready(self) -> None:
        """Wait until it can fork workers; raise GraderUnavailable where it does not start."""
        if not self._is_ready:
            if _line(self._control, time.monotonic() + START_SECONDS) != b"ready\n":
                self.end()
                raise GraderUnavailable("the grading process did not start; is math-verify there?")
            self._is_ready = True

    def fork(self, channel: socket.socket) -> None:
        """Have a worker forked on the channel. A child that is gone hangs up on it."""
        with contextlib.suppress(OSError):
            socket.send_fds(self._control, [b"w"], [channel.fileno()])

    def end(self) -> None:
        """Kill the child, and with it its workers."""
        self._process.kill()
        self._process.wait()
        self._control.close()


def _line(channel: socket.socket, deadline: float) -> bytes:
    """Return the next line; what came of it at the channel's end or the deadline."""
    data = b""
    while not data.endswith(b"\n"):
        if not _is_readable(channel, deadline - time.monotonic()):
            break
        piece = channel.recv(4096)
        if not piece:
            break
        data += piece
    return data


def _is_readable(channel: socket.socket, seconds: float) -> bool:
    poll = select.poll()  # not select(), which knows only the first 1,024 descriptors
    poll.register(channel, select.POLLIN)
    return bool(poll.poll(max(0.0, seconds) * 1000))


class WorkerPool:
    """Lends workers: an idle one, else a new one; at most `size` at a time."""

    def __init__(self, size: int) -> None:
        self._free = threading.BoundedSemaphore(size)
        self._lock = threading.Lock()
        self._child = Child()
        self._idle: list[Worker] = []

    def wait_until_ready(self) -> None:
        """Wait for the child's start, and start it again where something killed it.

        Raises GraderUnavailable where it does not start.
        """
        with self._lock:
            if not self._child.is_alive:
                self._child.end()
                self._child = Child()
            self._child.wait_until_ready()

    def take(self, seconds: float) -> Worker | None:
        """Return a worker, or None where all are busy for `seconds`."""
        if not self._free.acquire(timeout=max(0.0, seconds)):
            return None
        try:
            with self._lock:
                return self._idle_worker() or Worker(self._child)
        except BaseException:
            self._free.release()
            raise

    def give_back(self, worker: Worker, *, usable: bool) -> None:
        """Keep a worker for the next comparison, or drop one that answered too late."""
        with self._lock:
            if usable:
                self._idle.append(worker)
            else:
                worker.close()
        self._free.release()

    def close(self) -> None:
        """End all processes."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()
            self._child.end()

    def _idle_worker(self) -> Worker | None:
        while self._idle:
            worker = self._idle.pop()
            if worker.is_alive():
                return worker
            worker.close()
        return None
