"""Post a message to an address that a user named: to the open internet only.

The name is resolved once, every address that it has is looked at, and the connection goes to the
one that was: a name that leads elsewhere a moment later changes nothing. Redirects are not
followed, proxies not asked, and of the answer nothing but the status is read.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Collection, Mapping
from contextlib import suppress
from urllib.parse import SplitResult

from labeling.domain.addresses import is_public
from labeling.domain.webhooks import split_url

LONGEST = 12.0
"""Seconds for all of it."""


class Unreachable(Exception):
    """Nothing was sent, or no answer came; the text is for the delivery's log."""


def post(url: str, body: bytes, headers: Mapping[str, str], private: Collection[str]) -> int:
    """Send the body and return the answer's status; raise Unreachable, or Invalid for the address.

    `private`: names of hosts that may be reached although they are not public.
    """
    parts = split_url(url, frozenset(private))
    connection = _connection(parts, _vetted(parts, private))
    # an answer that drips one byte now and then must not hold the worker
    timer = threading.Timer(LONGEST, _cut, [connection])
    timer.daemon = True
    timer.start()
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body=body, headers=dict(headers))
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"{type(error).__name__}: {error}"[:300]) from error
    finally:
        timer.cancel()
        connection.close()


def _vetted(parts: SplitResult, private: Collection[str]) -> list[tuple[str, int]]:
    """Return the numeric addresses with the port that may be connected to."""
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"the name {host} leads nowhere") from error
    addresses = [str(entry[4][0]) for entry in found]
    if host.lower() not in private and not all(is_public(address) for address in addresses):
        raise Unreachable(f"{host} is no public address")
    return [(address, port) for address in addresses]


def _connection(parts: SplitResult, at: list[tuple[str, int]]) -> http.client.HTTPConnection:
    kind = _PinnedTls if parts.scheme == "https" else _Pinned
    return kind(parts.hostname or "", at)


class _Pinned(http.client.HTTPConnection):
    """Speaks to a host at one of the addresses that were looked at."""

    def __init__(self, host: str, at: list[tuple[str, int]]) -> None:
        super().__init__(host, at[0][1], timeout=LONGEST)
        self._at = at

    def connect(self) -> None:
        """Connect to the first address that answers; the name is not asked again."""
        for place in self._at:
            try:
                self.sock = socket.create_connection(place, timeout=LONGEST / len(self._at))
            except OSError:
                if place == self._at[-1]:
                    raise
            else:
                return


class _PinnedTls(_Pinned):
    """The same with TLS: the certificate must be the name's."""

    default_port = 443

    def connect(self) -> None:
        """Connect, and let the other side show its certificate."""
        super().connect()
        context = ssl.create_default_context()
        self.sock = context.wrap_socket(self.sock, server_hostname=self.host)


def _cut(connection: http.client.HTTPConnection) -> None:
    if connection.sock is not None:
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)
