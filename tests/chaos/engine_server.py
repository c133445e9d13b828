"""The tiny model behind an OpenAI-compatible HTTP server: `python -m tests.chaos.engine_server`.

A stand-in for `vllm serve` that starts in seconds and in float64 draws the same text for a seed
whatever else it decodes, so that a disturbed run can be compared label for label.
"""

from __future__ import annotations

import argparse
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from workers.engines.protocol import Answer, Completion, Sample
from workers.engines.transformers_engine import TransformersEngine


class Shared:
    """One engine for many threads."""

    def __init__(self, engine: TransformersEngine) -> None:
        self._engine = engine
        self._changed = threading.Condition()
        self._waiting: dict[Sample, int] = {}
        self._answers: dict[Sample, Answer] = {}
        threading.Thread(target=self._listen, daemon=True).start()

    def complete(self, sample: Sample) -> Answer:
        with self._changed:
            if sample not in self._waiting:
                self._engine.submit([sample])
            self._waiting[sample] = self._waiting.get(sample, 0) + 1
            self._changed.notify_all()
            while sample not in self._answers:
                self._changed.wait()
            answer = self._answers[sample]
            self._waiting[sample] -= 1
            if not self._waiting[sample]:
                del self._waiting[sample], self._answers[sample]
            return answer

    def _listen(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
            done = self._engine.finished(1.0)
            with self._changed:
                self._answers.update(done)
                self._changed.notify_all()


def serve(port: int, model: str) -> None:
    shared = Shared(TransformersEngine(model, dtype="float64"))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = shared.complete(
                Sample(
                    body["prompt"],
                    body["seed"],
                    body["max_tokens"],
                    body["temperature"],
                    tuple(body.get("stop", ())),
                )
            )
            if isinstance(answer, Completion):
                self._send(200, _shown(answer))
            else:
                self._send(400, {"error": {"message": str(answer)}})

        def _send(self, status: int, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            return

    class Server(ThreadingHTTPServer):
        request_queue_size = 128
        daemon_threads = True

    Server(("127.0.0.1", port), Handler).serve_forever()


def _shown(answer: Completion) -> dict[str, Any]:
    return {
        "choices": [{"text": answer.text, "finish_reason": answer.finish_reason}],
        "usage": {
            "prompt_tokens": answer.prompt_tokens,
            "completion_tokens": answer.completion_tokens,
        },
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("model")
    given = parser.parse_args()
    serve(given.port, given.model)
