"""Child processes that cannot outlive their parent, and names for processes that pids are not."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_LAUNCH = Path(__file__).with_name("launch.py")
_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Identity:
    """One process, told apart from a later one that got the same pid by when it started."""

    pid: int
    started: str

    def is_alive(self) -> bool:
        """Tell whether this very process (not a successor with its pid) still runs."""
        return identify(self.pid) == self


def identify(pid: int) -> Identity | None:
    """Return the identity of the process that has `pid` now; None for no process or a zombie."""
    if not sys.platform.startswith("linux"):
        shown = subprocess.run(
            ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout.strip()
        return Identity(pid, shown) if shown else None
    try:
        # the program's name, in parentheses, may hold spaces and parentheses itself
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, started = fields[0], fields[19]  # fields 3 and 22 of proc(5)
    return None if state in "ZX" else Identity(pid, started)


def program_of(pid: int) -> str:
    """Return the file name of the program that `pid` runs; empty where none runs."""
    if sys.platform.startswith("linux"):
        try:
            return Path(os.readlink(f"/proc/{pid}/exe")).name.removesuffix(" (deleted)")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            return ""
    shown = subprocess.run(
        ["ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return Path(shown.stdout.strip()).name


def spawn(
    argv: Sequence[str],
    *,
    log: Path | None,
    death_signal: int = signal.SIGTERM,
    uid: int = 0,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program that gets `death_signal` when this process dies (0: lives on).

    With a `log` it runs in its own session, so that a terminal's Ctrl-C does not reach it, and
    appends its output there; without one it keeps our terminal. `uid` drops root to that user.
    The calling thread must live as long as the child: the kernel counts its end as our death.
    """
    launcher = [sys.executable, "-IS", str(_LAUNCH)]
    command = [*launcher, str(int(death_signal)), str(os.getpid()), str(uid), *argv]
    environment = dict(os.environ if env is None else env)
    if log is None:
        return subprocess.Popen(command, env=environment, cwd=cwd)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            env=environment,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def stop(
    process: subprocess.Popen[bytes], *, by: int = signal.SIGTERM, patience: float = 5
) -> None:
    """End a session that `spawn` started: `by` to its leader, then SIGKILL to all that is left."""
    if process.poll() is None:
        process.send_signal(by)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    # nobody is left, or (macOS) only a zombie
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def this_one() -> Identity:
    """Return the identity of the calling process."""
    found = identify(os.getpid())
    if found is None:
        raise RuntimeError("this process cannot see itself: is /proc mounted?")
    return found


def wait_until_gone(identity: Identity, patience: float) -> bool:
    """Wait for the end of a process that is not our child; tell whether it came in time."""
    deadline = time.monotonic() + patience
    while identity.is_alive():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
