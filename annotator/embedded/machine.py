"""The whole application on this machine, in the foreground of a terminal, until Ctrl-C."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from annotator.embedded import processes, programs, servers
from annotator.embedded.errors import EmbeddedServerError
from annotator.embedded.supervisor import Supervisor

_READY_SECONDS = 120
_LOCK = "machine.lock"
Write = Callable[[str], None]


class Machine:
    """Everything that `make demo` and `make serve` run, with data and logs in `var`."""

    def __init__(self, var: Path, *, port: int, write: Write) -> None:
        self._var = var
        self._output = write
        self._stopping = False
        self.port = programs.free_port(port)
        if self.port != port:
            self._write(f"Port {port} is taken: using {self.port}.")
        self.url = f"http://{programs.HOST}:{self.port}/"
        self._supervisor = Supervisor(
            programs.application(self.port),
            logs=var / "logs",
            env=programs.VARIABLES,
            say=self._say,
        )

    def run(self, job: Sequence[str] = ()) -> None:
        """Serve until SIGINT or SIGTERM; once the web answers, run `job` on this terminal."""
        with _only_one(self._var, self.url), self._signals():
            try:
                self._supervisor.start()
                if self._wait_until_ready():
                    self._write(f"annotator answers at {self.url}  (Ctrl-C stops)")
                    self._run_job(job)
                self._supervisor.run(self._is_over)
            finally:
                self._write("Stopping ...")
                self._supervisor.stop()
                servers.release(self._var)
                self._write("Stopped.")

    def _run_job(self, job: Sequence[str]) -> None:
        if not job:
            return
        process = processes.spawn(job, log=None)
        try:
            self._supervisor.run(lambda: self._is_over() or process.poll() is not None)
        finally:
            if process.poll() is None:
                processes.stop(process, patience=3)
        if process.returncode != 0 and not self._stopping:
            self._write(f"The job ended with status {process.returncode}; the rest runs on.")
        elif not self._stopping:
            self._write(f"annotator stays up at {self.url}  (Ctrl-C stops)")

    def _wait_until_ready(self) -> bool:
        deadline = time.monotonic() + _READY_SECONDS
        self._supervisor.run(
            lambda: self._is_over() or _answers(self.url) or time.monotonic() > deadline
        )
        if not self._stopping and time.monotonic() > deadline:
            self._write(f"The web server does not answer: see {self._var / 'logs' / 'web.log'}")
            return False
        return not self._stopping

    def _is_over(self) -> bool:
        """Tell whether a signal asked for the end; on the way, revive killed servers."""
        if not self._stopping:
            servers.renew(self._var)
        return self._stopping

    def _write(self, line: str) -> None:
        """Write a line; a terminal that was closed must not keep us from stopping in order."""
        with suppress(OSError):
            self._output(line)

    def _say(self, name: str, event: str) -> None:
        self._write(f"{time.strftime('%H:%M:%S')}  {name:<7} {event}")

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Stop in order on the signals that end a foreground program."""
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, self._on_signal) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True


@contextmanager
def _only_one(var: Path, url: str) -> Iterator[None]:
    """Refuse a second machine on the same data: its workers would only take each other's cores."""
    lock = os.open(var / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = os.read(lock, 200).decode()
            raise EmbeddedServerError(f"annotator already runs here: {other}") from None
        os.ftruncate(lock, 0)
        os.write(lock, url.encode())
        yield
    finally:
        os.close(lock)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}healthz", timeout=2) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def manage(*arguments: str) -> list[str]:
    """Return the command line of a manage.py command in this checkout."""
    return [sys.executable, str(Path(__file__).resolve().parents[2] / "manage.py"), *arguments]
