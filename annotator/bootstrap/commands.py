"""Run commands quietly, with a line of progress each, and say what went wrong if one fails."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from annotator.bootstrap.plan import BootstrapError

_SHOWN_LINES = 15


@contextmanager
def progress(what: str) -> Iterator[None]:
    """Print what is being done, then the seconds it took."""
    started = time.monotonic()
    sys.stderr.write(f"bootstrap: {what} ... ")
    sys.stderr.flush()
    try:
        yield
    except BaseException:
        sys.stderr.write("failed\n")
        raise
    sys.stderr.write(f"{time.monotonic() - started:.1f} s\n")


class Runner:
    """Runs commands with their output in `log`."""

    def __init__(self, log: Path, environment: Mapping[str, str]) -> None:
        self._log = log
        self._environment = dict(environment)

    def run(self, argv: Sequence[str], *, hint: str = "", stdin: str = "") -> None:
        """Run to the end; raise BootstrapError with the last lines and the hint on failure."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            argv,
            env={**os.environ, **self._environment},
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        with self._log.open("a") as log:
            log.write(f"$ {' '.join(argv)}\n{done.stdout}")
        if done.returncode != 0:
            shown = "\n".join(done.stdout.splitlines()[-_SHOWN_LINES:])
            raise BootstrapError(f"{' '.join(argv)}\n{shown}\n{hint}(all of it: {self._log})")

    def succeeds(self, argv: Sequence[str], *, seconds: float, **variables: str) -> bool:
        """Tell whether the command succeeds within some seconds."""
        try:
            done = subprocess.run(
                argv,
                env={**os.environ, **self._environment, **variables},
                capture_output=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0
