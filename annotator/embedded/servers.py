"""Share one pair of embedded servers among all processes that use one folder.

Each using process holds a shared lock on `embedded.lock`. The first one starts the keeper
(annotator.embedded.keeper), which owns the servers and stops them once it gets that lock for
itself: that is when the last user has gone, however it went (the kernel drops a dead one's lock).
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from annotator.embedded import processes
from annotator.embedded.errors import EmbeddedServerError

USERS_LOCK = "embedded.lock"
KEEPER_LOCK = "embedded.keeper.lock"
STATE = "embedded.json"
_ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 120  # initdb on a loaded machine
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Urls:
    database_url: str
    redis_url: str


class Attachment:
    """This process's share in the servers of `var`: they run while it is open."""

    def __init__(self, var: Path, *, durable: bool = True) -> None:
        """Attach to the running servers, or start them; return once both answer."""
        self.var = var
        self._durable = durable
        var.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(var / USERS_LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            # waits while the keeper of the users before us is shutting down
            fcntl.flock(self._lock, fcntl.LOCK_SH)
            self.urls = self._wait_for_urls()
        except BaseException:
            os.close(self._lock)
            raise

    def renew(self) -> None:
        """Start the servers again if their keeper was killed; the URLs stay the same."""
        self.urls = self._wait_for_urls()

    def close(self) -> None:
        """Give up the share; if it was the last one, return when the servers have stopped."""
        keeper = _keeper(_read_state(self.var))
        os.close(self._lock)
        while keeper and keeper.is_alive() and not _others_attached(self.var):
            time.sleep(_POLL_SECONDS)

    def _wait_for_urls(self) -> Urls:
        deadline = time.monotonic() + _START_SECONDS
        starting: processes.Identity | None = None
        while time.monotonic() < deadline:
            state = _read_state(self.var)
            if (keeper := _keeper(state)) and keeper.is_alive():
                if "error" in state:
                    raise EmbeddedServerError(state["error"])
                return Urls(state["database_url"], state["redis_url"])
            if starting is None or not starting.is_alive():
                starting = self._start_keeper()
            time.sleep(_POLL_SECONDS)
        raise EmbeddedServerError(f"the embedded servers did not start: see {self.var / 'logs'}")

    def _start_keeper(self) -> processes.Identity | None:
        """Start a keeper. Where another process did so too, one of the two exits at once."""
        arguments = [str(self.var), *([] if self._durable else ["--forgetful"])]
        process = processes.spawn(
            [sys.executable, "-m", "annotator.embedded.keeper", *arguments],
            log=self.var / "logs" / "embedded.log",
            death_signal=0,  # it outlives us while others are attached
            cwd=_ROOT,
        )
        identity = processes.identify(process.pid)
        process.returncode = 0  # nobody waits for it: keeps Popen from warning at our end
        return identity


_held: dict[Path, Attachment] = {}


def ensure(var: Path, *, durable: bool = True) -> Urls:
    """Return the URLs of the servers of `var`; they run at least until this process ends.

    `durable=False` trades safety against power cuts for speed (tests); it applies to the one
    who starts the servers. Raise EmbeddedServerError where they cannot run.
    """
    var = var.resolve()
    if var not in _held:
        _held[var] = Attachment(var, durable=durable)
    return _held[var].urls


def release(var: Path) -> None:
    """Give up what `ensure` took; the last user waits until the servers have stopped."""
    attachment = _held.pop(var.resolve(), None)
    if attachment is not None:
        attachment.close()


def renew(var: Path) -> None:
    """Make sure that the servers taken by `ensure` still have a keeper."""
    if attachment := _held.get(var.resolve()):
        attachment.renew()


@contextmanager
def embedded_servers(var: Path, *, durable: bool = True) -> Iterator[Urls]:
    """Hold the servers of `var` for the length of the block."""
    attachment = Attachment(var.resolve(), durable=durable)
    try:
        yield attachment.urls
    finally:
        attachment.close()


def _read_state(var: Path) -> dict[str, str]:
    try:
        state: dict[str, str] = json.loads((var / STATE).read_text())
    except FileNotFoundError:
        return {}
    return state


def _keeper(state: dict[str, str]) -> processes.Identity | None:
    if not state:
        return None
    return processes.Identity(int(state["keeper_pid"]), state["keeper_started"])


def _others_attached(var: Path) -> bool:
    """Tell whether another process shares the servers (a keeper that is stopping does not)."""
    lock = os.open(var / USERS_LOCK, os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        # the keeper removes its state as soon as it alone holds the lock
        return (var / STATE).exists()
    finally:
        os.close(lock)
    return False
