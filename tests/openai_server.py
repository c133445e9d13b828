"""A real HTTP server on loopback that speaks the OpenAI protocol for a scripted engine.

`faults` are served first, one per request: what a provider does on a bad day.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.engines import ScriptedEngine
from workers.engines.protocol import Completion, CompletionRequest, EngineRefused, Message


@dataclass(frozen=True)
class Fault:
    """Answer with this status and body; `hang` seconds first; `drop` closes the connection."""

    status: int = 200
    body: str = "{}"
    headers: tuple[tuple[str, str], ...] = ()
    hang: float = 0.0
    drop: bool = False


@dataclass
class OpenAIServer:
    url: str
    engine: ScriptedEngine
    faults: list[Fault] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    busiest: int = 0
    delay: float = 0.0


@contextmanager
def openai_server(engine: ScriptedEngine) -> Iterator[OpenAIServer]:
    """Serve until the block ends."""
    lock, busy = threading.Lock(), [0]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                busy[0] += 1
                state.busiest = max(state.busiest, busy[0])
                state.requests.append({"path": self.path, "headers": dict(self.headers), **body})
                fault = state.faults.pop(0) if state.faults else None
            try:
                self._serve(body, fault)
            finally:
                with lock:
                    busy[0] -= 1

        def _serve(self, body: dict[str, Any], fault: Fault | None) -> None:
            time.sleep(fault.hang if fault else state.delay)
            if fault and fault.drop:
                self.close_connection = True
                return
            if fault:
                self._send(fault.status, fault.body, dict(fault.headers))
                return
            try:
                with lock:
                    self._send(200, json.dumps(_answer(state.engine, self.path, body)), {})
            except EngineRefused as error:
                self._send(400, json.dumps({"error": {"message": str(error)}}), {})

        def _send(self, status: int, body: str, headers: dict[str, str]) -> None:
            data = body.encode()
            try:
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(data))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)
            except BrokenPipeError:  # the client did not wait
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    state = OpenAIServer(f"http://127.0.0.1:{server.server_port}", engine)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _answer(engine: ScriptedEngine, path: str, body: dict[str, Any]) -> dict[str, Any]:
    chat = path == "/v1/chat/completions"
    messages = tuple(Message(m["role"], m["content"]) for m in body.get("messages", ()))
    request = CompletionRequest(
        prompt=messages if chat else body["prompt"],
        seeds=(body["seed"],),
        max_tokens=body["max_tokens"],
        temperature=body["temperature"],
        stop=tuple(body.get("stop", ())),
    )
    ((sample,),) = engine.complete([request])
    text = {"message": {"content": sample.text}} if chat else {"text": sample.text}
    return {
        "choices": [{"finish_reason": sample.finish_reason, **text}],
        "usage": _usage(sample),
    }


def _usage(sample: Completion) -> dict[str, int]:
    return {
        "prompt_tokens": sample.prompt_tokens,
        "completion_tokens": sample.completion_tokens,
    }
