"""One kept HTTP/1.1 connection to a server: a POST with one time limit for the whole exchange.

On http.client rather than httpx, which took three times the CPU time per request (0.7 instead of
0.2 ms from 32 threads), and whose limits count anew at each read: a server that drips its answer
byte by byte would hold a thread for ever. Redirects are not followed.
"""

from __future__ import annotations

import contextlib
import io
import select
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

CONNECT = 10.0
"""Seconds to connect, at most."""

MAX_BYTES = 16 * 2**20
"""Longest answer that is read."""

KEEP_ALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
"""A machine that vanished is noticed after a minute, not when the time limit is over."""

_ASKED = {"Accept": "application/json", "Accept-Encoding": "identity"}


class Unreached(Exception):
    """No connection: the server has not seen the request."""


class Broken(Exception):
    """The exchange began and did not end well."""


class TooSlow(Broken):
    """The time limit was over first."""


@dataclass(frozen=True, slots=True)
class Response:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """A connection that is made when needed and kept while the server keeps it.

    One thread uses it; any other may abort what is under way.
    """

    def __init__(self, address: str, headers: Mapping[str, str]) -> None:
        """Connect later to `address` (http or https), whose path begins every request's."""
        parts = urlsplit(address)
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        fields = {"Host": parts.netloc, "User-Agent": "annotator", **_ASKED, **headers}
        self._path = parts.path
        self._fields = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self._socket: socket.socket | None = None
        self._aborted = False

    def begin(self) -> None:
        """Be ready for a request: what was aborted before is over."""
        self._aborted = False

    def post(self, path: str, body: bytes, limit: float) -> Response:
        """Return the answer; raise Unreached, Broken, or TooSlow after `limit` seconds."""
        return self._exchange("POST", path, body, limit)

    def get(self, path: str, limit: float) -> Response:
        """Return the answer; raise as `post`."""
        return self._exchange("GET", path, b"", limit)

    def abort(self) -> None:
        """End the request under way: the server may stop working on it."""
        self._aborted = True
        if (used := self._socket) is not None:
            with contextlib.suppress(OSError):
                # Not SSLSocket's own, which takes the session away from the thread that reads.
                socket.socket.shutdown(used, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection; the next request makes a new one."""
        used, self._socket = self._socket, None
        if used is not None:
            used.close()

    def _exchange(self, method: str, path: str, body: bytes, limit: float) -> Response:
        end = time.monotonic() + limit
        head = f"{method} {self._path}{path} HTTP/1.1\r\n{self._fields}"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        message = head.encode("latin-1") + body
        kept = self._is_usable()
        try:
            return self._send(method, message, end)
        except (HTTPException, OSError, ValueError) as error:
            self.close()
            if isinstance(error, TimeoutError):
                raise TooSlow(f"no answer within {limit:g} s") from error
            # A server closes what was idle for a while, perhaps just now.
            again = kept and not self._aborted and isinstance(error, ConnectionError)
            if not again:
                raise Broken(_said(error)) from error
        return self._exchange(method, path, body, end - time.monotonic())

    def _send(self, method: str, message: bytes, end: float) -> Response:
        used = self._socket or self._connect(end)
        if self._aborted:
            raise ConnectionAbortedError("given up")
        used.settimeout(_left(end))
        used.sendall(message)
        with HTTPResponse(_Readable(used, end), method=method) as response:  # type: ignore[arg-type]
            response.begin()
            content = response.read(MAX_BYTES + 1)
            if len(content) > MAX_BYTES:
                raise HTTPException(f"an answer of more than {MAX_BYTES} bytes")
            if response.length:
                raise HTTPException(f"the answer ends {response.length} bytes too early")
            if response.will_close:
                self.close()
            return Response(response.status, _lowered(response.getheaders()), content)

    def _connect(self, end: float) -> socket.socket:
        try:
            connection = self._open(min(CONNECT, _left(end)))
            connection.connect()
        except (OSError, HTTPException, UnicodeError) as error:
            raise Unreached(_said(error)) from error
        made = connection.sock
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, seconds in KEEP_ALIVE:
            if hasattr(socket, name):  # not everywhere
                made.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), seconds)
        self._socket = made
        return made

    def _open(self, limit: float) -> HTTPConnection:
        """Return the connection to be made; https goes through the proxy of the environment."""
        host, port = str(self._host), self._port
        if not self._secure:
            return HTTPConnection(host, port, timeout=limit)
        proxy = None if proxy_bypass(host) else getproxies().get("https")
        if not proxy:
            return HTTPSConnection(host, port, timeout=limit, context=_trust())
        through = urlsplit(proxy)
        tunnel = HTTPSConnection(
            str(through.hostname), through.port, timeout=limit, context=_trust()
        )
        tunnel.set_tunnel(host, port or 443)
        return tunnel

    def _is_usable(self) -> bool:
        """Say whether there is a kept connection; one with something to read was closed."""
        if self._socket is None:
            return False
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        if poll.poll(0):
            self.close()
        return self._socket is not None


class _Readable:
    """A socket as HTTPResponse wants it: a file whose every read has the rest of the time."""

    def __init__(self, used: socket.socket, end: float) -> None:
        self._file = io.BufferedReader(_Timed(used, end), 65_536)

    def makefile(self, _mode: str) -> io.BufferedReader[_Timed]:
        return self._file


class _Timed(io.RawIOBase):
    def __init__(self, used: socket.socket, end: float) -> None:
        self._used, self._end = used, end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._used.settimeout(_left(self._end))
        return self._used.recv_into(buffer)


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _lowered(headers: list[tuple[str, str]]) -> Mapping[str, str]:
    return {name.lower(): value for name, value in headers}


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
