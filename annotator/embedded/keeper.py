"""Own the embedded servers of one folder: `python -m annotator.embedded.keeper VAR`.

Started by annotator.embedded.servers; restarts a server that crashed, ends with the last user.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType

from annotator.embedded import processes, servers
from annotator.embedded.errors import EmbeddedServerError
from annotator.embedded.postgres import Postgres
from annotator.embedded.redis import Redis

_POLL_SECONDS = 0.2
_ERROR_SECONDS = 2  # long enough for every waiting user to read why
_LONGEST_SOCKET_FOLDER = 85  # a socket's path has 107 characters at most (unix(7))


class Keeper:
    """The one process that starts and stops the servers of `var`."""

    def __init__(self, var: Path, *, durable: bool) -> None:
        logs = var / "logs"
        self._state = var / servers.STATE
        self._postgres = Postgres(var / "postgres", socket_folder(var), logs / "postgres.log")
        self._redis = Redis(var / "redis", logs / "redis.log")
        self._postgres.durable = self._redis.durable = durable
        self._stopping = False

    def run(self, users: int) -> None:
        """Serve until no process shares the lock `users` any more, or until SIGTERM."""
        self._state.unlink(missing_ok=True)
        signal.signal(signal.SIGTERM, self._on_sigterm)
        try:
            self._postgres.start()
            self._redis.start()
            self._publish(database_url=self._postgres.url, redis_url=self._redis.url)
            while not self._stopping and not _is_ours_alone(users):
                self._restart_crashed()
                time.sleep(_POLL_SECONDS)
        except EmbeddedServerError as error:
            self._publish(error=str(error))
            time.sleep(_ERROR_SECONDS)
        finally:
            self._state.unlink(missing_ok=True)
            self._redis.stop()
            self._postgres.stop()

    def _on_sigterm(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _restart_crashed(self) -> None:
        for server in (self._postgres, self._redis):
            if server.process is not None and server.process.poll() is not None:
                sys.stderr.write(f"{type(server).__name__} ended by itself; starting it again\n")
                server.start()

    def _publish(self, **facts: str) -> None:
        """Write the state in one go, readable by its owner only (it holds Redis' password)."""
        me = processes.this_one()
        facts |= {"keeper_pid": str(me.pid), "keeper_started": me.started}
        fresh = self._state.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(facts))
        fresh.replace(self._state)


def socket_folder(var: Path) -> Path:
    """Return a short folder name of this `var`'s own: a socket's path must fit 107 characters."""
    temporary = tempfile.gettempdir()
    if len(temporary) > _LONGEST_SOCKET_FOLDER - len("/annotator-0123456789"):
        temporary = "/tmp"  # noqa: S108 -- postgres.py refuses a folder that others prepared
    name = hashlib.sha256(str(var.resolve()).encode()).hexdigest()[:10]
    return Path(temporary) / f"annotator-{name}"


def _is_ours_alone(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def main() -> None:
    """Keep the servers of the folder on the command line, unless another keeper does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("var", type=Path)
    parser.add_argument("--forgetful", action="store_true", help="fast, unsafe in a power cut")
    arguments = parser.parse_args()
    keepers = os.open(arguments.var / servers.KEEPER_LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    if not _is_ours_alone(keepers):
        return
    users = os.open(arguments.var / servers.USERS_LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    Keeper(arguments.var, durable=not arguments.forgetful).run(users)
    # first this one: a user who waits for the other lock starts the next keeper at once
    os.close(keepers)
    os.close(users)


if __name__ == "__main__":
    main()
