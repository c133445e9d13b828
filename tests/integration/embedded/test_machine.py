"""`manage.py serve` for real: it answers, keeps to itself, and leaves nothing behind."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from annotator.embedded import programs
from annotator.embedded.errors import EmbeddedServerError
from annotator.embedded.machine import Machine
from annotator.embedded.processes import program_of
from tests.integration.embedded.family import ROOT, descendants, end, survivors

Serve = Callable[[], subprocess.Popen[str]]


@pytest.fixture
def var() -> Iterator[Path]:
    """A folder in memory where possible: a database is 1,000 files."""
    folder = Path(tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def serve(var: Path) -> Iterator[Serve]:
    started: list[subprocess.Popen[str]] = []
    env = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}}

    def start() -> subprocess.Popen[str]:
        command = [sys.executable, "manage.py", "serve", "--port", str(programs.free_port(18000))]
        started.append(
            subprocess.Popen(
                command,
                cwd=ROOT,
                env=env | {"VAR_DIR": str(var), "PYTHONUNBUFFERED": "1"},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
        return started[-1]

    yield start
    for process in started:
        end(process)


def address_of(process: subprocess.Popen[str]) -> str:
    """Read on until the line with the address, which comes once the web answers."""
    lines = []
    assert process.stdout
    for line in process.stdout:
        lines.append(line)
        if "answers at" in line:
            return line.split("answers at ")[1].split()[0]
    raise AssertionError("".join(lines))


def test_ctrl_c_stops_everything_within_10_seconds_and_a_kill_leaves_nothing(
    serve: Serve,
) -> None:
    first = serve()
    url = address_of(first)
    with urllib.request.urlopen(f"{url}healthz") as answer:
        assert answer.status == 200
    family = descendants(first.pid)
    assert {"postgres", "redis-server"} <= {program_of(member.pid) for member in family}
    first.send_signal(signal.SIGINT)
    assert first.wait(10) == 0
    assert survivors(family, after=0) == []
    assert first.stdout
    ended = [line.split()[1] for line in first.stdout if line.endswith("stopped\n")]
    assert ended == ["web", "beat", *(worker.name for worker in programs.workers())]

    second = serve()
    address_of(second)
    family = descendants(second.pid)
    assert len(family) >= 10  # servers, web, workers and their own children
    second.kill()
    assert survivors(family, after=3) == []


def test_a_second_machine_on_the_same_data_is_refused_with_the_address_of_the_first(
    tmp_path: Path,
) -> None:
    # the first one's lock, which it holds in a process of its own
    lock = tmp_path / "machine.lock"
    lock.write_text("http://127.0.0.1:8000/")
    descriptor = os.open(lock, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    written: list[str] = []
    try:
        with pytest.raises(EmbeddedServerError, match=r"already runs here: http://127\.0"):
            Machine(tmp_path, port=18500, write=written.append).run()
    finally:
        os.close(descriptor)
    assert not any("started" in line for line in written)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind((programs.HOST, 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_a_taken_port_makes_it_take_the_next_one_and_say_so(
    taken_port: int, tmp_path: Path
) -> None:
    written: list[str] = []
    machine = Machine(tmp_path, port=taken_port, write=written.append)
    assert taken_port < machine.port <= taken_port + 50
    assert written == [f"Port {taken_port} is taken: using {machine.port}."]


def test_a_closed_terminal_does_not_stop_it_from_going_on(taken_port: int, tmp_path: Path) -> None:
    def gone(_line: str) -> None:
        raise BrokenPipeError

    assert Machine(tmp_path, port=taken_port, write=gone).port != taken_port
