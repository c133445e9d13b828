"""While real services label 2,000 solutions, everything is killed at random; nothing may differ.

The undisturbed labels come from the same completer (seeded, float64) in one process. Random are
the order and the moments of the kills; CHAOS_SEED repeats their order.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from annotator.embedded import processes, programs
from annotator.embedded.postgres import Postgres
from annotator.embedded.redis import Redis

pytestmark = pytest.mark.chaos

ROOT = Path(__file__).resolve().parents[2]
MODEL = "demo/checkpoint"
WHOLE = 1_350
PROBLEMS = int(os.environ.get("CHAOS_PROBLEMS", str(WHOLE)))
SOLUTIONS = 1.5 * PROBLEMS
"""Two samples of each, a few of them alike: more than 2,000. Where fewer problems are asked for,
killing ends once every victim was killed EACH times: the rest would only wait for starts."""

DEADLINE = 1_500.0
HURRY = (1.0, 2.5)
PAUSE = (4.0, 10.0)
"""Seconds between two kills: short until every victim has been killed EACH times, so that a fast
machine is not done before, then long enough for the engine's server to start and work."""

EACH = 2
"""Every victim must have been killed so often, or the test has shown nothing."""


@dataclass
class Services:
    """The real services in `folder`; what dies is started again by `tend`, as an init would."""

    folder: Path
    port: int
    postgres: Postgres
    redis: Redis
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | programs.VARIABLES | {
            "VAR_DIR": str(self.folder),
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.redis.url,
            "SECRET_KEY": "chaos",
            "DJANGO_SETTINGS_MODULE": "annotator.settings",
            "HF_HUB_OFFLINE": "1",
        }  # fmt: skip

    def tend(self) -> None:
        """Start what is not running."""
        wanted = {p.name: list(p.argv) for p in (*programs.workers(), programs.beat())}
        wanted["engine"] = [
            sys.executable, "-m", "tests.chaos.engine_server", str(self.port), MODEL
        ]  # fmt: skip
        for name, argv in wanted.items():
            if name not in self.running or self.running[name].poll() is not None:
                self.running[name] = processes.spawn(
                    argv,
                    log=self.folder / f"{name}.log",
                    death_signal=signal.SIGKILL,
                    env=self.environment,
                    cwd=ROOT,
                )

    def stage(self, *arguments: str) -> Any:
        """Run a command of tests.chaos.stage and return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.chaos.stage", *arguments],
            env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1]) if done.stdout else None

    def close(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()
        self.redis.stop()
        self.postgres.stop()


class Storm:
    """Kills with SIGKILL: every victim in turn, in random order."""

    def __init__(self, services: Services, seed: int) -> None:
        self._services, self._random = services, random.Random(seed)
        self._next: list[str] = []
        self.tally: Counter[str] = Counter()
        self._victims = {
            "worker": self._worker,
            "worker's child": self._child,
            "Redis and its data": self._redis,
            "Postgres backend": self._backend,
            "engine server": self._engine,
        }

    @property
    def _is_enough(self) -> bool:
        return all(self.tally[name] >= EACH for name in self._victims)

    def strike(self) -> None:
        if self._is_enough and PROBLEMS < WHOLE:
            return
        if not self._next:
            self._next = self._random.sample(list(self._victims), len(self._victims))
        name = self._next.pop()
        self.tally[name] += self._victims[name]()

    def pause(self) -> None:
        time.sleep(self._random.uniform(*(PAUSE if self._is_enough else HURRY)))

    def _worker(self) -> bool:
        self._services.running["models"].kill()
        self._services.running["models"].wait()
        return True

    def _child(self) -> bool:
        children = _children(self._services.running["models"].pid)
        return bool(children) and _killed(self._random.choice(children))

    def _redis(self) -> bool:
        redis = self._services.redis
        assert redis.process is not None
        redis.process.kill()
        redis.process.wait()
        for file in redis.folder.glob("appendonly*"):
            shutil.rmtree(file) if file.is_dir() else file.unlink()
        time.sleep(self._random.uniform(0.0, 2.0))
        redis.start()
        return True

    def _backend(self) -> bool:
        with (
            contextlib.suppress(psycopg.OperationalError),
            psycopg.connect(self._services.postgres.url) as connection,
        ):
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
                " AND pid <> pg_backend_pid()"
            ).fetchall()
            return bool(rows) and _killed(self._random.choice(rows)[0])
        return False

    def _engine(self) -> bool:
        self._services.running["engine"].kill()
        self._services.running["engine"].wait()
        return True


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def _killed(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    sockets = Path("/tmp") / f"annotator-chaos-{os.getpid()}"  # a short path, open to Postgres
    postgres = Postgres(
        sockets.with_name(f"{sockets.name}-data"), sockets, tmp_path / "postgres.log"
    )
    redis = Redis(tmp_path / "redis", tmp_path / "redis.log")
    postgres.start()
    redis.start()
    running = Services(tmp_path, port, postgres, redis)
    try:
        yield running
    finally:
        running.close()
        shutil.rmtree(postgres.data, ignore_errors=True)


def test_labels_are_the_same_whatever_is_killed(services: Services) -> None:
    made = services.stage("prepare", MODEL, f"http://127.0.0.1:{services.port}")
    assert made["solutions"] >= SOLUTIONS
    services.stage("start")
    storm = Storm(services, int(os.environ.get("CHAOS_SEED", "1")))
    began = time.monotonic()
    while _left(seen := _look(services)):
        assert time.monotonic() - began < DEADLINE, f"{seen} after {storm.tally}"
        assert {run["state"] for run in seen} <= {"running", "done"}, seen
        services.tend()
        storm.pause()
        storm.strike()
    seconds = time.monotonic() - began
    services.tend()
    found = services.stage("compare")
    print(f"\n{found['solutions']} solutions in {seconds:.0f} s; killed: {dict(storm.tally)}")
    assert found["different"] == []
    # One MC verdict, one judge's verdict and one decision for each, and the evidence.
    assert found["labels"] > 3 * found["solutions"]
    assert found["recorded"] == {"mc": found["solutions"], "judge": found["solutions"]}
    assert min(storm.tally.get(name, 0) for name in storm._victims) >= EACH, storm.tally


def _left(seen: Sequence[dict[str, Any]]) -> bool:
    return any(run["state"] != "done" for run in seen)


def _look(services: Services) -> Sequence[dict[str, Any]]:
    """Ask how far the runs are; a database that recovers from a kill is asked again."""
    for _ in range(20):
        with contextlib.suppress(AssertionError):
            return services.stage("look")
        time.sleep(0.5)
    return services.stage("look")
