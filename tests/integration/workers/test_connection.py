"""One connection to a server that answers byte for byte what a test says."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from workers.engines import connection as connections
from workers.engines.connection import Broken, Connection, TooSlow, Unreached

PEM = Path(__file__).parents[2] / "localhost.pem"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


class RawServer:
    """Answers each request with the next of `answers`; None = closes, a number = waits.

    `afterwards` follows the first answer a moment later, unasked.
    """

    def __init__(self, *answers: bytes | float | None) -> None:
        self.answers = list(answers)
        self.afterwards = b""
        self.requests: list[bytes] = []
        self.accepted = 0
        self.gone = threading.Event()
        """Set when a client went away."""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def run(self, wrap: Callable[[socket.socket], socket.socket]) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                self.accepted += 1
                threading.Thread(target=self._serve, args=(wrap, client)).start()

    def _serve(self, wrap: Callable[[socket.socket], socket.socket], client: socket.socket) -> None:
        client.settimeout(5)
        with contextlib.suppress(OSError), wrap(client) as secured:
            while request := self._request(secured):
                self.requests.append(request)
                answer = self.answers.pop(0)
                if answer is None:
                    break
                if isinstance(answer, float):
                    if not secured.recv(1):
                        break
                    continue
                secured.sendall(answer)
                if self.afterwards:
                    time.sleep(0.05)
                    secured.sendall(self.afterwards)
                    self.afterwards = b""
                if b"Connection: close" in answer:
                    break
        client.close()
        self.gone.set()

    @staticmethod
    def _request(client: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            if not (more := client.recv(65_536)):
                return b""
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split()[0])
        while len(body) < length:
            body += client.recv(65_536)
        return head + b"\r\n\r\n" + body


@contextmanager
def raw_server(
    *answers: bytes | float | None, wrap: Callable[[socket.socket], socket.socket] = lambda s: s
) -> Iterator[RawServer]:
    server = RawServer(*answers)
    thread = threading.Thread(target=server.run, args=(wrap,))
    thread.start()
    try:
        yield server
    finally:
        server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()
        thread.join()


@contextmanager
def connected(server: RawServer, scheme: str = "http") -> Iterator[Connection]:
    connection = Connection(f"{scheme}://127.0.0.1:{server.port}/v1", {"X-Mine": "yes"})
    try:
        yield connection
    finally:
        connection.close()


def test_a_request_says_all_that_a_server_needs() -> None:
    with raw_server(OK) as server, connected(server) as connection:
        answer = connection.post("/completions", b'{"a": 1}', 5)
    assert (answer.status, answer.body) == (200, b"hi")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert body == b'{"a": 1}'
    assert head.split(b"\r\n") == [
        b"POST /v1/completions HTTP/1.1",
        b"Host: 127.0.0.1:%d" % server.port,
        b"User-Agent: annotator",
        b"Accept: application/json",
        b"Accept-Encoding: identity",
        b"X-Mine: yes",
        b"Content-Type: application/json",
        b"Content-Length: 8",
    ]


def test_the_connection_is_kept_and_replaced_where_the_server_ended_it() -> None:
    closing = OK.replace(b"Content", b"Connection: close\r\nContent")
    # The fourth request finds its connection closed without an answer: it is sent once more.
    with raw_server(OK, OK, closing, OK, None, OK) as server, connected(server) as connection:
        for _ in range(5):
            assert connection.get("/models", 5).body == b"hi"
    assert len(server.requests) == 6
    assert server.accepted == 3


def test_a_server_that_hangs_up_twice_is_broken() -> None:
    with raw_server(OK, None, None) as server, connected(server) as connection:
        connection.get("/", 5)
        with pytest.raises(Broken, match="closed connection without response"):
            connection.get("/", 5)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde",
    ],
    ids=["chunked", "after 100"],
)
def test_the_forms_of_an_answer(answer: bytes) -> None:
    with raw_server(answer, OK) as server, connected(server) as connection:
        assert connection.get("/", 5).body == b"abcde"
        assert connection.get("/", 5).body == b"hi"
    assert server.accepted == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\nConnection: close\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 2x0 OK\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"",
    ],
    ids=["cut", "no chunk", "no status", "no HTTP", "many headers", "long header", "nothing"],
)
def test_what_is_no_whole_answer_is_broken(answer: bytes) -> None:
    with (
        raw_server(answer, None) as server,
        connected(server) as connection,
        pytest.raises(Broken),
    ):
        connection.get("/", 0.3)


@pytest.mark.parametrize("later", [False, True])
def test_what_follows_an_answer_is_not_the_next_one(later: bool) -> None:
    other = OK.replace(b"hi", b"no")
    with raw_server(OK if later else OK + other, OK) as server, connected(server) as connection:
        server.afterwards = other if later else b""
        assert connection.get("/", 5).body == b"hi"
        time.sleep(0.3)
        assert connection.get("/", 5).body == b"hi"


def test_an_endless_answer_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_BYTES", 1_000)
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + b"x" * 1_001
    with raw_server(long) as server, connected(server) as connection:
        with pytest.raises(Broken, match="an answer of more than 1000 bytes"):
            connection.get("/", 5)
        assert server.gone.wait(2)


def test_nobody_there_is_unreached() -> None:
    with raw_server() as server:
        pass
    with connected(server) as connection, pytest.raises(Unreached, match="refused"):
        connection.get("/", 5)


@pytest.mark.parametrize("secure", [False, True])
def test_an_aborted_request_ends_at_once_and_the_server_sees_it(
    secure: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        tls_server(monkeypatch, 5.0, OK) if secure else raw_server(5.0, OK) as server,
        connected(server, "https" if secure else "http") as connection,
    ):
        threading.Timer(0.2, connection.abort).start()
        began = time.monotonic()
        with pytest.raises(Broken):
            connection.get("/", 5)
        assert time.monotonic() - began < 2
        assert server.gone.wait(2)
        connection.begin()
        assert connection.get("/", 5).body == b"hi"


@contextmanager
def tls_server(
    monkeypatch: pytest.MonkeyPatch, *answers: bytes | float | None, trusted: bool = True
) -> Iterator[RawServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(PEM))
    connections._trust.cache_clear()
    with raw_server(*answers, wrap=lambda s: context.wrap_socket(s, server_side=True)) as server:
        yield server
    connections._trust.cache_clear()


def test_https_works_and_keeps_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    with tls_server(monkeypatch, OK, OK) as server, connected(server, "https") as connection:
        assert connection.get("/", 5).body == b"hi"
        assert connection.get("/", 5).body == b"hi"
    assert server.accepted == 1


def test_https_has_one_limit_for_the_whole_exchange_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with tls_server(monkeypatch, 5.0) as server, connected(server, "https") as connection:
        began = time.monotonic()
        with pytest.raises(TooSlow, match=r"no answer within 0\.3 s"):
            connection.get("/", 0.3)
        assert time.monotonic() - began < 2


def test_a_certificate_that_nobody_vouches_for_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        tls_server(monkeypatch, OK, trusted=False) as server,
        connected(server, "https") as connection,
        pytest.raises(Unreached, match="certificate verify failed"),
    ):
        connection.get("/", 5)
    assert server.requests == []


def test_https_goes_through_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.getsockname()[1]}")
        monkeypatch.setenv("no_proxy", "")
        asked: list[bytes] = []

        def listen() -> None:
            client, _ = proxy.accept()
            with client:
                asked.append(client.recv(4_096))
                client.sendall(b"HTTP/1.1 403 No\r\n\r\n")

        thread = threading.Thread(target=listen)
        thread.start()
        with pytest.raises(Unreached, match="403"):
            Connection("https://provider.example/v1", {"Authorization": "Bearer k"}).get("/", 5)
        thread.join()
    assert asked[0].startswith(b"CONNECT provider.example:443 HTTP/1.")
    assert b"Bearer" not in asked[0]
