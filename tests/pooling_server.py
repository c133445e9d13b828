"""A real HTTP server on loopback that answers /pooling as vLLM does for a PRM.

A step's probability is a function of the tokens up to it, so that order and truncation show.
pooling_contract.py holds it to the real one. `faults` are served first, one per request.
"""

from __future__ import annotations

import json
import math
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "tiny"


@dataclass(frozen=True)
class Fault:
    """What a server does on a bad day: this answer; `drop` closes the connection instead.

    `drip` sends the body byte by byte, `drip_header` the header, with so many seconds between.
    """

    status: int = 200
    body: str = "{}"
    headers: tuple[tuple[str, str], ...] = ()
    hang: float = 0.0
    drop: bool = False
    drip: float = 0.0
    drip_header: float = 0.0


@dataclass
class PoolingServer:
    url: str
    step_id: int
    context: int = 1024
    delay: float = 0.0
    """Seconds for each request."""
    faults: list[Fault] = field(default_factory=list)
    always: Fault | None = None
    rows: Callable[[list[int]], Any] | None = None
    """Replaces what is answered to an input, for a server that was started wrongly."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    busiest: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)


def logit(ids: list[int], place: int) -> float:
    """Return the scripted model's logit of right at a place: it has read all tokens so far."""
    return math.sin(sum((n + 1) * token for n, token in enumerate(ids[: place + 1]))) * 3


def right(ids: list[int], place: int) -> float:
    return 1 / (1 + math.exp(-logit(ids, place)))


@contextmanager
def pooling_server(step_id: int) -> Iterator[PoolingServer]:
    """Serve until the block ends."""
    lock, busy = threading.Lock(), [0]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 0.5  # seconds for which an idle connection is kept

        def do_GET(self) -> None:
            answer = {"data": [{"id": MODEL, "max_model_len": state.context}]}
            known = self.path == "/v1/models"
            self._send(200 if known else 404, json.dumps(answer if known else {}), {})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                busy[0] += 1
                state.busiest = max(state.busiest, busy[0])
                state.requests.append({"headers": dict(self.headers), **body})
                fault = state.faults.pop(0) if state.faults else state.always
            try:
                self._serve(body, fault)
            except (BrokenPipeError, ConnectionResetError):  # the client did not wait
                self.close_connection = True
            finally:
                with lock:
                    busy[0] -= 1

        def _serve(self, body: dict[str, Any], fault: Fault | None) -> None:
            state.stopping.wait(fault.hang if fault else state.delay)
            if fault is None:
                status, answer = _answer(state, self.path, body)
                self._send(status, json.dumps(answer), {})
            elif fault.drop:
                self.close_connection = True
            elif fault.drip_header:
                self._drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 10_000, fault.drip_header)
            elif fault.drip:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
                self._drip(b" " * 10_000, fault.drip)
            else:
                self._send(fault.status, fault.body, dict(fault.headers))

        def _drip(self, data: bytes, pause: float) -> None:
            self.close_connection = True
            for byte in data:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                if state.stopping.wait(pause):
                    return

        def _send(self, status: int, body: str, headers: dict[str, str]) -> None:
            data = body.encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            return

    server = _Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    state = PoolingServer(f"http://127.0.0.1:{server.server_port}", step_id)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        state.stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # a client that did not wait
            super().handle_error(request, client_address)


def _answer(state: PoolingServer, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    if path != "/pooling":
        return 404, {"detail": "Not Found"}
    if body["model"] != MODEL:
        return 404, {"error": {"message": f"The model `{body['model']}` does not exist."}}
    if any(len(ids) > state.context for ids in body["input"]):
        words = f"This model's maximum context length is {state.context} tokens."
        return 400, {"error": {"message": words}}
    raw = body.get("use_activation") is False
    rows = state.rows or (lambda ids: _rows(ids, state.step_id, raw))
    data = [{"index": index, "data": rows(ids)} for index, ids in enumerate(body["input"])]
    return 200, {"object": "list", "data": data}


def _rows(ids: list[int], step_id: int, raw: bool) -> list[list[float]]:
    places = [place for place, token in enumerate(ids) if token == step_id]
    if raw:
        return [[0.0, logit(ids, place)] for place in places]
    return [[1 - right(ids, place), right(ids, place)] for place in places]
