"""An embedded Postgres server: the wheel's own binaries on a private UNIX socket.

Not the wheel's get_server(): it leaks the server when its parent is killed and trusts stale pids.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psycopg

from annotator.embedded import postgres_programs, processes
from annotator.embedded.errors import EmbeddedServerError

MAJOR = postgres_programs.MAJOR
USER = DATABASE = "annotator"
# Postgres refuses to run as root; nobody owns nothing else that it could harm.
_UNPRIVILEGED = 65534
_READY_SECONDS = 60  # crash recovery after a power cut, on a slow disk
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "512MB",  # room for the indexes of a million solutions; taken as it is used
    "maintenance_work_mem": "128MB",
    "random_page_cost": "1.1",
    "max_wal_size": "2GB",
    "log_min_duration_statement": "1000",
    "timezone": "UTC",
}
# For servers whose data may vanish with a power cut: tests.
_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass
class Postgres:
    """A server with its data in `data`, its socket in `sockets` and its output in `log`."""

    data: Path
    sockets: Path
    log: Path
    durable: bool = True
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql://{USER}@/{DATABASE}?host={self.sockets}"

    @cached_property
    def _uid(self) -> int:
        """The user to run as: 0 means as we are."""
        return _UNPRIVILEGED if os.geteuid() == 0 else 0

    def start(self) -> None:
        """Start the server, creating its cluster and database on first use, and wait for it."""
        self._end_leftover()
        self._own(_private_folder(self.sockets, owner=self._uid or os.geteuid()))
        programs = self._reachable_programs()
        self._create_cluster(programs / "initdb")
        settings = _SETTINGS | {"unix_socket_directories": str(self.sockets)}
        settings |= {} if self.durable else _FORGETFUL
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        # SIGINT is Postgres' fast shutdown: clean, without waiting for clients
        self.process = processes.spawn(
            [str(programs / "postgres"), "-D", str(self.data), *options],
            log=self.log,
            death_signal=signal.SIGINT,
            uid=self._uid,
        )
        self._wait_until_ready(self.process)

    def stop(self) -> None:
        """Shut down cleanly; after 8 seconds, as a crash (the next start recovers)."""
        if self.process is not None:
            processes.stop(self.process, by=signal.SIGINT, patience=8)
            self.process = None
            with contextlib.suppress(OSError):
                self.sockets.rmdir()  # empty after a clean shutdown
            postgres_programs.remove_copy(self._copied_programs)

    @property
    def _copied_programs(self) -> Path:
        return self.sockets.with_name(f"{self.sockets.name}-programs")

    def _reachable_programs(self) -> Path:
        programs = postgres_programs.binaries()
        if not self._uid or postgres_programs.is_open(programs):
            return programs
        return postgres_programs.open_copy(programs, self._copied_programs)

    def _create_cluster(self, initdb: Path) -> None:
        if self.data.exists():
            self._check_version()
            return
        fresh = self.data.with_name(f"{self.data.name}.new")  # never a half-made cluster in place
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True, mode=0o700)
        self._own(fresh)
        options = ["--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", "--auth=trust"]
        command = [str(initdb), *options, f"--username={USER}", "-D", str(fresh)]
        if processes.spawn(command, log=self.log, uid=self._uid).wait() != 0:
            raise EmbeddedServerError(f"initdb failed: {_last_line(self.log)} (see {self.log})")
        fresh.rename(self.data)

    def _check_version(self) -> None:
        found = (self.data / "PG_VERSION").read_text().strip()
        if found != str(MAJOR):
            raise EmbeddedServerError(
                f"{self.data} was made by Postgres {found}, this is {MAJOR}: dump and restore it, "
                "or move it away"
            )

    def _own(self, folder: Path) -> None:
        if self._uid:
            os.chown(folder, self._uid, self._uid)

    def _end_leftover(self) -> None:
        """End a server that a killed keeper left on this cluster; drop the pid file of a dead one.

        Postgres itself takes a stale pid file for a running server once another program has its
        pid (usual in containers, where pids start over).
        """
        pid_file = self.data / "postmaster.pid"
        if not pid_file.exists():
            return
        pid = int(pid_file.read_text().split("\n", 1)[0])
        leftover = processes.identify(pid)
        if leftover and processes.program_of(pid) == "postgres" and _serves(pid, self.data):
            _end(leftover)
        pid_file.unlink(missing_ok=True)
        for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
            (self.sockets / name).unlink(missing_ok=True)

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            if process.poll() is not None:
                raise EmbeddedServerError(
                    f"Postgres did not start: {_last_line(self.log)} (see {self.log})"
                )
            try:
                self._create_database()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return

    def _create_database(self) -> None:
        with psycopg.connect(
            host=str(self.sockets), user=USER, dbname="postgres", autocommit=True
        ) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if known.fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")


def _last_line(log: Path) -> str:
    return next((line for line in reversed(log.read_text().splitlines()) if line.strip()), "")


def _end(leftover: processes.Identity) -> None:
    """Let a killed keeper's server finish (its death signal told it to), then make it."""
    if not processes.wait_until_gone(leftover, patience=10):
        os.kill(leftover.pid, signal.SIGQUIT)
        processes.wait_until_gone(leftover, patience=5)


def _serves(pid: int, data: Path) -> bool:
    """Tell whether the postgres process works in `data` (it changes into its data folder)."""
    if not sys.platform.startswith("linux"):
        return True
    try:
        return Path(os.readlink(f"/proc/{pid}/cwd")) == data.resolve()
    except OSError:
        return False


def _private_folder(folder: Path, *, owner: int) -> Path:
    """Make the folder for sockets, for its owner only; refuse one that somebody else prepared."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), owner}:
        raise EmbeddedServerError(f"{folder} belongs to somebody else: remove it")
    folder.chmod(0o700)
    return folder
