"""The application's own processes on one machine: three workers, the schedule, the web server."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass

HOST = "127.0.0.1"
# Two processes each for the models and for what takes long, one per core of a small machine; the
# sweeper has a worker of its own, so that it never waits behind a training.
MODEL_QUEUES = ("generate", "mc", "judge", "score")
JOB_QUEUES = ("train", "export")
CLOCK_QUEUES = ("default",)
# One thread each: on contended machines more were up to 30 times slower for tiny models.
VARIABLES = {
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONUNBUFFERED": "1",
    # glibc keeps the large temporaries of torch instead of giving each back to the kernel: a
    # training of the tiny model took 18 % less processor time
    "MALLOC_TRIM_THRESHOLD_": "1000000000",
    "MALLOC_MMAP_THRESHOLD_": "1000000000",
}
_PORTS_TRIED = 50


@dataclass(frozen=True)
class Program:
    """A process to keep running.

    It starts with its stage, lowest first, and stops with it, highest first. `stop_signal` asks
    it to finish what it does within `patience` seconds, `death_signal` to end at once because
    its parent was killed.
    """

    name: str
    argv: Sequence[str]
    stage: int = 0
    stop_signal: int = signal.SIGTERM
    death_signal: int = signal.SIGTERM
    patience: float = 2.5


def application(port: int) -> list[Program]:
    """Return the programs of one machine with the web server on `port` of this machine only."""
    return [
        *workers(),
        beat(),
        _web(port),
    ]


def workers() -> list[Program]:
    """Return the workers of one machine: they serve every queue."""
    return [
        _worker("models", MODEL_QUEUES, processes=2),
        _worker("jobs", JOB_QUEUES, processes=2),
        _worker("clock", CLOCK_QUEUES, processes=1),
    ]


def beat() -> Program:
    """Return the schedule."""
    return Program("beat", _celery("beat", "--pidfile="), stage=1, patience=1)


def free_port(wanted: int) -> int:
    """Return `wanted`, or the next port that nobody listens on."""
    for port in range(wanted, wanted + _PORTS_TRIED):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port from {wanted} to {wanted + _PORTS_TRIED - 1}")


def _worker(name: str, queues: Sequence[str], *, processes: int) -> Program:
    options = ["--queues", ",".join(queues), "--concurrency", str(processes)]
    options += ["--prefetch-multiplier", "1", "--hostname", f"{name}@%h"]
    options += ["--without-gossip", "--without-mingle", "--loglevel", "INFO"]
    # SIGTERM lets running tasks finish. With the parent killed nothing is worth waiting for:
    # what is cut off is leased in the database (celery's pool processes die with theirs, too).
    return Program(name, _celery("worker", *options), death_signal=signal.SIGKILL, patience=3)


def _celery(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "celery", "-A", "annotator.celery", *arguments]


def _web(port: int) -> Program:
    options = ["--bind", f"{HOST}:{port}", "--workers", "2", "--threads", "4"]
    options += ["--worker-class", "gthread", "--timeout", "60", "--graceful-timeout", "2"]
    options += ["--no-control-socket", "--access-logfile", "-"]
    # SIGQUIT is gunicorn's quick shutdown
    return Program(
        "web",
        [sys.executable, "-m", "gunicorn", *options, "annotator.wsgi:application"],
        stage=2,
        death_signal=signal.SIGQUIT,
    )
