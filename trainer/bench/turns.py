"""Processes that take turns: one runs, the others are stopped, until all have ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
    "TRL_EXPERIMENTAL_SILENCE": "1",
}


class BenchError(RuntimeError):
    """A contender that failed; the text holds the end of what it wrote."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A command whose last line of output is a JSON object."""

    name: str
    command: list[str]


def take_turns(
    contenders: Sequence[Contender], slice_seconds: float = 2.0
) -> dict[str, dict[str, Any]]:
    """Run all in turns of `slice_seconds`; return each one's JSON object."""
    running = {c.name: _Process(c) for c in contenders}
    rows = {}
    try:
        while running:
            for name, process in list(running.items()):
                if process.turn(slice_seconds, alone=len(running) == 1):
                    rows[name] = running.pop(name).result()
    finally:
        for process in running.values():
            process.kill()
    return {c.name: rows[c.name] for c in contenders}


class _Process:
    def __init__(self, contender: Contender) -> None:
        self.name = contender.name
        # files and not pipes: nobody reads while a contender is stopped
        self.out = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed by result or kill)
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            contender.command,
            stdout=self.out,
            stderr=self.errors,
            env={**os.environ, **ENVIRONMENT},
        )
        self.process.send_signal(signal.SIGSTOP)

    def turn(self, seconds: float, alone: bool) -> bool:
        """Let it run for one turn, or to its end where it is alone; say whether it ended."""
        self.process.send_signal(signal.SIGCONT)
        deadline = None if alone else seconds
        try:
            self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGSTOP)
            return False
        return True

    def result(self) -> dict[str, Any]:
        """Return the JSON object of the last line; raise `BenchError` where it failed."""
        with self.out, self.errors:
            for file in (self.out, self.errors):
                file.seek(0)
            if self.process.returncode:
                raise BenchError(f"{self.name}: {self.errors.read()[-2000:]}")
            row: dict[str, Any] = json.loads(self.out.read().splitlines()[-1])
            return row

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()
        self.out.close()
        self.errors.close()
