"""Workers come and go without a trace, whoever kills them; none outlives the grading process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from workers.grading import Grade, Grader

ROOT = Path(__file__).resolve().parents[3]
HANG = r"\Gamma(10^6)"


@pytest.fixture
def grader() -> Iterator[Grader]:
    with Grader() as grader:
        assert grader.grade("x+1", "1+x").correct
        yield grader


def test_a_worker_that_something_killed_is_replaced_and_its_answer_not_lost(
    grader: Grader,
) -> None:
    (worker,) = _children(_child(grader))
    os.kill(worker, signal.SIGKILL)
    assert grader.grade("x+2", "2+x") == Grade(True, "math-verify")


def test_a_child_that_something_killed_is_started_again(grader: Grader) -> None:
    pids = [_child(grader), *_children(_child(grader))]
    os.kill(pids[0], signal.SIGKILL)
    _wait_until(lambda: not any(map(_is_running, pids)))
    assert grader.grade("x+2", "2+x") == Grade(True, "math-verify")


def test_many_kills_leave_neither_processes_nor_descriptors() -> None:
    with Grader(seconds=0.005) as grader:
        grader.grade("1", HANG)
        before = len(os.listdir("/proc/self/fd"))
        for number in range(200):
            assert grader.grade(f"{number}", HANG).by == "timeout"
        _wait_until(lambda: not _children(_child(grader)))
        assert len(os.listdir("/proc/self/fd")) <= before
        assert grader._pool._idle == []


def test_closing_ends_the_child_and_its_workers() -> None:
    with Grader() as grader:
        grader.grade("x+1", "1+x")
        pids = [_child(grader), *_children(_child(grader))]
        assert len(pids) == 2
    _wait_until(lambda: not any(map(_is_running, pids)))


_ORPHANS = """
import os, sys, threading, time
from workers.grading import Grader
grader = Grader(seconds=60)
grader.grade("x+1", "1+x")
sibling = os.fork()  # it inherits the channels, so that they stay open
if sibling == 0:
    time.sleep(60)
threading.Thread(target=grader.grade, args=("1", r"{hang}"), daemon=True).start()
print(sibling, grader._pool._child._process.pid, flush=True)
threading.Event().wait()
"""


def test_workers_die_with_the_grading_process_even_in_a_comparison() -> None:
    with _python(_ORPHANS.replace("{hang}", HANG)) as parent:
        assert parent.stdout is not None
        sibling, child = map(int, parent.stdout.readline().split())
        _wait_until(lambda: bool(_children(child)))
        pids = [child, *_children(child)]
        parent.kill()
        parent.wait()
        _wait_until(lambda: not any(map(_is_running, pids)))
        os.kill(sibling, signal.SIGKILL)


_FORKS = """
import multiprocessing, os, sys
from workers.grading import shared_grader

def work():
    assert shared_grader().grade("x+2", "2+x").correct

assert shared_grader().grade("x+1", "1+x").correct
context = multiprocessing.get_context("fork")
for daemon in (True, False):  # Celery's pool processes are daemons
    process = context.Process(target=work, daemon=daemon)
    process.start()
    process.join()
    assert process.exitcode == 0
child = shared_grader()._pool._child._process
if os.fork() == 0:
    sys.exit(0)  # runs the exit handlers that it inherited
os.wait()
assert child.poll() is None
assert shared_grader().grade("x+3", "3+x").correct
print("done")
"""


def test_forked_processes_have_graders_of_their_own() -> None:
    with _python(_FORKS) as process:
        assert process.communicate()[0].strip() == "done"


_CONFINED = """
import os, socket, subprocess, sys, tempfile
from workers.grading_child import _confine
_confine()
import sympy  # what a worker loads late still loads
refused = 0
for act in (lambda: open("/tmp/x", "w"), lambda: os.open("/tmp/x", os.O_CREAT | os.O_WRONLY),
            lambda: os.system("true"), lambda: subprocess.run(["true"]),
            lambda: os.remove("/tmp/x"),
            lambda: socket.create_connection(("127.0.0.1", 9)), lambda: os.fork(),
            lambda: os.execv("/bin/true", ["true"]), lambda: os.mkdir("/tmp/xx")):
    try:
        act()
    except PermissionError:
        refused += 1
print(refused)
"""


def test_a_confined_worker_can_neither_write_nor_start_anything() -> None:
    with _python(_CONFINED) as process:
        assert process.communicate()[0].strip() == "9"


def _python(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def _child(grader: Grader) -> int:
    return grader._pool._child._process.pid


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _wait_until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
