"""Real process trees: who descends from a process, and who is still there after its death."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from annotator.embedded.processes import Identity, identify

ROOT = Path(__file__).resolve().parents[3]


def descendants(pid: int) -> list[Identity]:
    """Return the children of a process, their children, and so on."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (found := _parent(int(folder.name))):
            parents.setdefault(found, []).append(int(folder.name))
    waiting, known = [pid], []
    while waiting:
        children = parents.get(waiting.pop(), [])
        known += children
        waiting += children
    return [identity for child in known if (identity := identify(child))]


def survivors(family: Iterable[Identity], *, after: float) -> list[str]:
    """Wait until all have gone, `after` seconds at most; return the command lines of the rest."""
    family = list(family)
    wait_for(lambda: not any(member.is_alive() for member in family), seconds=after, quietly=True)
    return [command_line(member.pid) for member in family if member.is_alive()]


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def wait_for(condition: Callable[[], bool], *, seconds: float, quietly: bool = False) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            assert quietly, "it did not happen in time"
            return
        time.sleep(0.05)


def python(code: str, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    """Start this project's Python on some code, without the test run's own servers."""
    env = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}}
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env=env | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    if process.stdout:
        process.stdout.close()


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0
