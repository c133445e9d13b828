"""Keep programs running: start them, start a crashed one again, stop all of them in order."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from annotator.embedded import processes
from annotator.embedded.programs import Program

Say = Callable[[str, str], None]  # the program's name, what happened

_TICK_SECONDS = 0.2
_LONGEST_DELAY = 30.0
_HEALTHY_SECONDS = 30.0  # a program that ran this long starts again without delay
_LARGEST_LOG = 20 * 2**20


@dataclass
class _Child:
    """A program with its current process, or with the time at which to start it again."""

    program: Program
    log: Path
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    due_at: float = 0.0
    failures: int = 0


class Supervisor:
    """Runs `programs` with output in `logs`, each in its own session.

    Use it from the thread that lives longest: the kernel ends the children with their thread.
    """

    def __init__(
        self, programs: Sequence[Program], *, logs: Path, env: Mapping[str, str], say: Say
    ) -> None:
        self._children = [_Child(program, logs / f"{program.name}.log") for program in programs]
        self._env = env
        self._say = say

    def start(self) -> None:
        """Start every program, in the order of the stages."""
        for child in sorted(self._children, key=lambda child: child.program.stage):
            _rotate(child.log)
            self._start(child)

    def run(self, until: Callable[[], bool]) -> None:
        """Start crashed programs again until `until` says so."""
        while not until():
            self.tick()
            time.sleep(_TICK_SECONDS)

    def tick(self) -> None:
        """Notice who has ended, and start those whose delay is over."""
        for child in self._children:
            if child.process is None:
                if time.monotonic() >= child.due_at:
                    self._start(child)
            elif child.process.poll() is not None:
                self._note_end(child, child.process)

    def pids(self) -> dict[str, int]:
        """Return the process id of each running program, by name."""
        return {c.program.name: c.process.pid for c in self._children if c.process}

    def stop(self) -> None:
        """Stop the highest stage first; the programs of one stage stop at the same time."""
        running = [child for child in self._children if child.process is not None]
        running.sort(key=lambda child: -child.program.stage)
        for _stage, group in groupby(running, key=lambda child: child.program.stage):
            self._stop_together(list(group))

    def _start(self, child: _Child) -> None:
        child.started_at = time.monotonic()
        child.process = processes.spawn(
            child.program.argv,
            log=child.log,
            death_signal=child.program.death_signal,
            env={**os.environ, **self._env},
        )
        self._say(child.program.name, f"started (pid {child.process.pid})")

    def _note_end(self, child: _Child, process: subprocess.Popen[bytes]) -> None:
        """Plan the next start: at once after a long life, else later with each failure."""
        processes.stop(process)  # its own children, if it left any
        lived = time.monotonic() - child.started_at
        child.failures = 0 if lived >= _HEALTHY_SECONDS else child.failures + 1
        delay = min(2.0 ** (child.failures - 1), _LONGEST_DELAY) if child.failures else 0.0
        child.due_at = time.monotonic() + delay
        child.process = None
        ended = _describe(process.returncode)
        self._say(
            child.program.name,
            f"{ended} after {lived:.0f} s, again in {delay:.0f} s (see {child.log})",
        )

    def _stop_together(self, children: Sequence[_Child]) -> None:
        for child in children:
            if child.process is not None and child.process.poll() is None:
                child.process.send_signal(child.program.stop_signal)
        deadline = time.monotonic() + max(child.program.patience for child in children)
        for child in children:
            if child.process is not None:
                # signalled above: here only waited for, then killed with all it started
                processes.stop(child.process, by=0, patience=max(0, deadline - time.monotonic()))
                self._say(child.program.name, "stopped")
                child.process = None


def _describe(returncode: int) -> str:
    if returncode >= 0:
        return f"exited with {returncode}"
    return f"was ended by {signal.Signals(-returncode).name}"


def _rotate(log: Path) -> None:
    """Keep one older log of a program whose log has grown."""
    if log.exists() and log.stat().st_size > _LARGEST_LOG:
        log.replace(log.with_suffix(".1.log"))
