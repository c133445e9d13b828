"""A real HTTP server on loopback that speaks the OpenAI protocol for a scripted engine.

`faults` are served first, one per request: what a provider does on a bad day. `stop` kills it with
all its connections, `start` brings it back at the same address.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.engines import ScriptedEngine, text_of
from workers.engines.protocol import Completion, Message, Sample


@dataclass(frozen=True)
class Fault:
    """Answer with this status and body; `hang` seconds first; `drop` closes the connection.

    `drip` is seconds between the bytes of the answer, its head included.
    """

    status: int = 200
    body: str = "{}"
    headers: tuple[tuple[str, str], ...] = ()
    hang: float = 0.0
    drop: bool = False
    drip: float = 0.0


@dataclass
class OpenAIServer:
    """The server's script and what it was asked. An unknown `model` is answered with 404."""

    engine: ScriptedEngine
    port: int = 0
    model: str = ""
    delay: float = 0.0
    always: Fault | None = None
    faults: list[Fault] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    answered: int = 0
    busiest: int = 0
    caching: bool = True
    _seen: set[str] = field(default_factory=set)
    _tokens: list[int] = field(default_factory=lambda: [0, 0])
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _busy: int = 0
    _server: _Listener | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._server = _Listener(self)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,)).start()

    def stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.end()

    def noted(self, path: str, headers: dict[str, str], body: dict[str, Any]) -> Fault | None:
        """Note a request and return what goes wrong with it."""
        with self._lock:
            self._busy += 1
            self.busiest = max(self.busiest, self._busy)
            self.requests.append({"path": path, "headers": headers, **body})
            return self.faults.pop(0) if self.faults else self.always

    def over(self) -> None:
        with self._lock:
            self._busy -= 1

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.model and body["model"] != self.model:
            return 404, {"error": {"message": f"The model {body['model']} does not exist."}}
        chat = path == "/v1/chat/completions"
        messages = tuple(Message(m["role"], m["content"]) for m in body.get("messages", ()))
        prompt = messages if chat else body["prompt"]
        sample = Sample(
            prompt,
            body["seed"],
            body["max_tokens"],
            body["temperature"],
            tuple(body.get("stop", ())),
        )
        completion = self.engine.answer(sample)
        if not isinstance(completion, Completion):
            return 400, {"error": {"message": str(completion)}}
        self._count(text_of(prompt))
        text = {"message": {"content": completion.text}} if chat else {"text": completion.text}
        return 200, {
            "choices": [{"finish_reason": completion.finish_reason, **text}],
            "usage": {
                "prompt_tokens": completion.prompt_tokens,
                "completion_tokens": completion.completion_tokens,
            },
        }

    def models(self) -> dict[str, Any]:
        served = {"id": self.model or "m", "max_model_len": self.engine.context}
        return {"object": "list", "data": [served]}

    def metrics(self) -> str:
        asked, hit = self._tokens
        return (
            f'vllm:prefix_cache_queries_total{{engine="0"}} {asked}.0\n'
            f'vllm:prefix_cache_hits_total{{engine="0"}} {hit}.0\n'
        )

    def _count(self, prompt: str) -> None:
        with self._lock:
            self.answered += 1
            self._tokens[0] += len(prompt)
            if self.caching and prompt in self._seen:
                self._tokens[1] += len(prompt)
            self._seen.add(prompt)


class _Listener(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 256

    def __init__(self, state: OpenAIServer) -> None:
        self.state, self.ending = state, threading.Event()
        self.connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", state.port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error."""

    def end(self) -> None:
        self.ending.set()
        self.shutdown()
        for connection in tuple(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Listener

    def do_GET(self) -> None:
        if self.path == "/v1/models":
            self._send(200, json.dumps(self.server.state.models()), Fault())
        elif self.path == "/metrics":
            self._send(200, self.server.state.metrics(), Fault())
        else:
            self._send(404, "{}", Fault())

    def do_POST(self) -> None:
        state = self.server.state
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        fault = state.noted(self.path, dict(self.headers), body)
        try:
            self._pause(fault.hang if fault else state.delay)
            if fault and fault.drop:
                self.close_connection = True
            elif fault and (fault.status != 200 or fault.body != "{}"):
                self._send(fault.status, fault.body, fault)
            else:
                status, answer = state.answer(self.path, body)
                self._send(status, json.dumps(answer), fault or Fault())
        finally:
            state.over()

    def _pause(self, seconds: float) -> None:
        if seconds and self.server.ending.wait(seconds):
            raise ConnectionAbortedError

    def _send(self, status: int, body: str, how: Fault) -> None:
        data = body.encode()
        try:
            self.send_response(status)
            for name, value in {**dict(how.headers), "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            if not how.drip:
                self.end_headers()
                self.wfile.write(data)
                return
            self._headers_buffer.append(b"\r\n" + data)
            for byte in b"".join(self._headers_buffer):
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                self._pause(how.drip)
        except OSError:  # the client did not wait
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def openai_server(engine: ScriptedEngine, **settings: Any) -> Iterator[OpenAIServer]:
    """Serve until the block ends."""
    state = OpenAIServer(engine, **settings)
    state.start()
    try:
        yield state
    finally:
        state.stop()


def wait_until(condition: Any, seconds: float = 10.0) -> None:
    """Wait for a condition; fail after so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)
