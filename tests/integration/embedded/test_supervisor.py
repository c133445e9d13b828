"""Supervised programs are started again, stopped in order, and never left behind."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from annotator.embedded.programs import Program
from annotator.embedded.supervisor import Supervisor
from tests.integration.embedded.family import descendants, end, python, survivors, wait_for

# Sleeps in a child of its own, and notes its own end in the file that it is given.
_OBEDIENT = """
import signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
def end(*_):
    open(sys.argv[2], "a").write(f"{sys.argv[1]} ")
    child.kill(); child.wait(); sys.exit(0)
signal.signal(signal.SIGTERM, end)
open(sys.argv[2] + "." + sys.argv[1], "w").close()
time.sleep(600)
"""
# Ignores every polite request, as does its child.
_STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.fork()
open(sys.argv[1], "w").close()
time.sleep(600)
"""
_SUPERVISE = """
import pathlib, sys, time
from annotator.embedded import programs, supervisor
folder = pathlib.Path(sys.argv[1])
celery = [sys.executable, "-m", "celery", "-A", "celery_of_the_test", "worker"]
celery += ["-c", "2", "--without-gossip", "--without-mingle", "--loglevel", "INFO"]
web = [sys.executable, "-m", "gunicorn", "--workers", "2", "--no-control-socket"]
web += ["--bind", f"unix:{folder}/web.sock", "wsgi_of_the_test:application"]
known = {program.name: program for program in programs.application(1)}
def like(name, argv):
    return programs.Program(name, argv, death_signal=known[name].death_signal)
s = supervisor.Supervisor(
    [like("models", celery), like("web", web)],
    logs=folder, env={"PYTHONPATH": str(folder)}, say=lambda *_: None,
)
s.start()
s.run(lambda: False)
"""
_CELERY = """
import time
from celery import Celery
app = Celery("test", broker="memory://")
"""
_WSGI = "def application(environ, start):\n    start('200 OK', [])\n    return []\n"

Supervise = Callable[..., Supervisor]


@pytest.fixture
def events() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def supervise(tmp_path: Path, events: list[tuple[str, str]]) -> Iterator[Supervise]:
    started: list[Supervisor] = []

    def start(*programs: Program) -> Supervisor:
        started.append(
            Supervisor(programs, logs=tmp_path, env={}, say=lambda *event: events.append(event))
        )
        started[-1].start()
        return started[-1]

    yield start
    for supervisor in started:
        supervisor.stop()


def program(name: str, code: str, *arguments: object, **options: object) -> Program:
    argv = [sys.executable, "-c", code, *map(str, arguments)]
    return Program(name, argv, **options)  # type: ignore[arg-type]


def test_a_crashed_program_starts_again_after_a_growing_delay(
    supervise: Supervise, tmp_path: Path, events: list[tuple[str, str]]
) -> None:
    supervisor = supervise(program("web", "print('hello', flush=True); raise SystemExit(3)"))
    deadline = time.monotonic() + 3
    supervisor.run(lambda: time.monotonic() > deadline)
    # started at 0 s, 1 s later, 2 s later (after 3 s in all, plus starting times): two or three
    starts = (tmp_path / "web.log").read_text().count("hello")
    assert starts in {2, 3}
    delays = [text.split("again in ")[1].split(" (")[0] for _, text in events if "again" in text]
    assert delays[:2] == ["1 s", "2 s"]
    assert "exited with 3" in events[1][1]


def test_a_killed_program_starts_again_without_what_it_had_started(
    supervise: Supervise, tmp_path: Path, events: list[tuple[str, str]]
) -> None:
    supervisor = supervise(program("web", _OBEDIENT, "web", tmp_path / "order"))
    wait_for(lambda: (tmp_path / "order.web").exists(), seconds=5)
    killed = supervisor.pids()["web"]
    children = descendants(killed)
    assert len(children) == 1
    os.kill(killed, signal.SIGKILL)
    supervisor.run(lambda: supervisor.pids().get("web", killed) != killed)
    assert survivors(children, after=0.5) == []
    assert "was ended by SIGKILL" in events[1][1]


def test_programs_stop_from_the_highest_stage_down(supervise: Supervise, tmp_path: Path) -> None:
    order = tmp_path / "order"
    stages = {"worker": 0, "beat": 1, "web": 2}
    supervisor = supervise(
        *(program(name, _OBEDIENT, name, order, stage=stage) for name, stage in stages.items())
    )
    for name in stages:
        wait_for((tmp_path / f"order.{name}").exists, seconds=5)
    supervisor.stop()
    assert order.read_text().split() == ["web", "beat", "worker"]


def test_a_program_that_ignores_the_request_is_killed_with_its_children(
    supervise: Supervise, tmp_path: Path
) -> None:
    ready = tmp_path / "ready"
    supervisor = supervise(program("worker", _STUBBORN, ready, patience=0.5))
    wait_for(ready.exists, seconds=5)
    stubborn = supervisor.pids()["worker"]
    children = descendants(stubborn)
    began = time.monotonic()
    supervisor.stop()
    assert 0.5 <= time.monotonic() - began < 2
    assert survivors(children, after=0.5) == []


def test_no_celery_or_gunicorn_process_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    (tmp_path / "celery_of_the_test.py").write_text(_CELERY)
    (tmp_path / "wsgi_of_the_test.py").write_text(_WSGI)
    supervisor = python(_SUPERVISE, str(tmp_path))
    try:
        log = tmp_path / "models.log"
        wait_for(lambda: log.exists() and "ready." in log.read_text(), seconds=20)
        wait_for((tmp_path / "web.sock").exists, seconds=20)
        family = descendants(supervisor.pid)
        assert len(family) >= 6  # two workers each under celery's and gunicorn's main process
    finally:
        end(supervisor)
    assert survivors(family, after=3) == []
