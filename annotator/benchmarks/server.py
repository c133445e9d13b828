"""The web server of the application as it runs on one machine, and what it costs."""

from __future__ import annotations

import os
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from annotator.embedded import processes, programs

_TICKS = os.sysconf("SC_CLK_TCK")
_READY_SECONDS = 60


@contextmanager
def web(port: int, log: Path) -> Iterator[int]:
    """Run gunicorn as `manage.py serve` does; give its process id once it answers."""
    program = next(p for p in programs.application(port) if p.name == "web")
    process = processes.spawn(program.argv, log=log, death_signal=program.death_signal)
    try:
        _wait(f"http://{programs.HOST}:{port}/healthz")
        yield process.pid
    finally:
        processes.stop(process, patience=5)


def cpu_seconds(root: int) -> float:
    """Return the processor time of a process and all below it, ended children included."""
    total, waiting = 0, [root]
    while waiting:
        pid = waiting.pop()
        with suppress(FileNotFoundError, ProcessLookupError):
            stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, stat[11:15]))  # utime, stime, cutime, cstime
            for task in Path(f"/proc/{pid}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
    return total / _TICKS


def _wait(url: str) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310
            if answer.status == 200:
                return
        time.sleep(0.1)
    raise TimeoutError(f"{url} does not answer")
