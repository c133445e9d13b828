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
"""Seconds for all of it; the system's resolver alone, which nothing can cut, may overrun it."""


class Unreachable(Exception):
    """Nothing was sent, or no answer came; the text is for the delivery's log."""


def post(url: str, body: bytes, headers: Mapping[str, str], private: Collection[str]) -> int:
    """Send the body and return the answer's status; raise Unreachable, or Invalid for the address.

    `private`: names of hosts that may be reached although they are not public.
    """
    parts = split_url(url, frozenset(private))
    connection = (_PinnedTls if parts.scheme == "https" else _Pinned)(parts)
    # an answer that drips one byte now and then must not hold the worker
    timer = threading.Timer(LONGEST, connection.cut)
    timer.daemon = True
    timer.start()
    try:
        connection.places = _vetted(connection, private)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body=body, headers=dict(headers))
        return connection.getresponse().status
    except http.client.HTTPException as error:
        # its text is what the other side said, which need not be HTTP at all
        raise Unreachable(type(error).__name__) from error
    except OSError as error:
        raise Unreachable(f"{type(error).__name__}: {error}"[:300]) from error
    finally:
        timer.cancel()
        connection.close()


class _Pinned(http.client.HTTPConnection):
    """Speaks to a host at one of `places`, the addresses that were looked at."""

    def __init__(self, parts: SplitResult) -> None:
        super().__init__(parts.hostname or "", parts.port or self.default_port, timeout=LONGEST)
        self.places: list[tuple[str, int]] = []
        self._over = False

    def connect(self) -> None:
        """Connect to the first address that answers; the name is not asked again."""
        for place in self.places:
            try:
                self._go_on(socket.create_connection(place, timeout=LONGEST / len(self.places)))
            except OSError:
                if self._over or place == self.places[-1]:
                    raise
            else:
                return

    def cut(self) -> None:
        """End it, whatever it is at; called by the timer's thread."""
        self._over = True
        if self.sock is not None:
            # not the method of a TLS socket, which takes away what the other thread reads with
            with suppress(OSError):
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def _go_on(self, sock: socket.socket) -> None:
        # The timer's thread may cut at any moment: first the socket stands where it finds it, then
        # this looks whether it has been there before.
        self.sock = sock
        if self._over:
            raise TimeoutError(f"not done in {LONGEST:g} seconds")


class _PinnedTls(_Pinned):
    """The same with TLS: the certificate must be the name's."""

    default_port = 443

    def connect(self) -> None:
        """Connect, and let the other side show its certificate."""
        super().connect()
        wrapped = ssl.create_default_context().wrap_socket(
            self.sock, server_hostname=self.host, do_handshake_on_connect=False
        )
        self._go_on(wrapped)
        wrapped.do_handshake()


def _vetted(to: _Pinned, private: Collection[str]) -> list[tuple[str, int]]:
    """Return the numeric addresses with the port that may be connected to."""
    try:
        found = socket.getaddrinfo(to.host, to.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"the name {to.host} leads nowhere") from error
    addresses = [str(entry[4][0]) for entry in found]
    if to.host.lower() not in private and not all(is_public(address) for address in addresses):
        raise Unreachable(f"{to.host} is no public address")
    return [(address, to.port) for address in addresses]
