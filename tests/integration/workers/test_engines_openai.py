"""The HTTP engine against a server on loopback, on good and on bad days."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from hashlib import blake2b

import pytest

from tests.engine_contract import check_contract
from tests.engines import ScriptedEngine
from tests.openai_server import Fault, OpenAIServer, openai_server
from workers.engines.openai_engine import OpenAIEngine
from workers.engines.protocol import (
    CompletionRequest,
    EngineRefused,
    EngineUnavailable,
    Message,
)
from workers.engines.retrying import Retrying

QUICK = Retrying(attempts=3, first=0.01, longest=0.05)
HELLO = CompletionRequest("hello", (1, 2, 3), 8, 1.0)


def script(prompt: str, seed: int) -> str:
    return blake2b(f"{prompt}{seed}".encode()).hexdigest()[: 10 + seed % 20]


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with openai_server(ScriptedEngine(script)) as server:
        yield server


@pytest.fixture
def engine(server: OpenAIServer) -> Iterator[OpenAIEngine]:
    engine = OpenAIEngine(server.url, "m", timeout=2.0, max_concurrency=4, retrying=QUICK)
    yield engine
    engine.close()


def test_the_engine_keeps_the_contract(engine: OpenAIEngine) -> None:
    check_contract(engine, ("one", (Message("user", "two"),)))


def test_each_sample_is_one_request_with_its_own_seed(
    engine: OpenAIEngine, server: OpenAIServer
) -> None:
    engine.complete([HELLO])
    assert sorted(request["seed"] for request in server.requests) == [1, 2, 3]
    assert {request["path"] for request in server.requests} == {"/v1/completions"}
    assert all("n" not in request for request in server.requests)


def test_an_assistants_last_message_is_continued(
    engine: OpenAIEngine, server: OpenAIServer
) -> None:
    asked, begun = Message("user", "P"), Message("assistant", "Step 1\n\n")
    engine.complete([CompletionRequest((asked, begun), (1,), 8, 1.0)])
    engine.complete([CompletionRequest((asked,), (1,), 8, 1.0)])
    continued, fresh = server.requests
    assert continued["path"] == "/v1/chat/completions"
    assert continued["continue_final_message"] is True
    assert continued["add_generation_prompt"] is False
    assert "continue_final_message" not in fresh


def test_requests_that_share_a_beginning_are_sent_side_by_side(server: OpenAIServer) -> None:
    one = OpenAIEngine(server.url, "m", max_concurrency=1)
    prompts = ["b2", "a1", "b1", "a2", "a1"]
    answers = one.complete([CompletionRequest(p, (7,), 8, 1.0) for p in prompts])
    one.close()
    assert [request["prompt"] for request in server.requests] == ["a1", "a1", "a2", "b1", "b2"]
    assert [samples[0].text for samples in answers] == [script(p, 7)[:8] for p in prompts]


def test_concurrency_is_bounded_and_used(engine: OpenAIEngine, server: OpenAIServer) -> None:
    server.delay = 0.1
    began = time.monotonic()
    engine.complete([CompletionRequest("x", tuple(range(12)), 8, 1.0)])
    assert server.busiest == 4
    assert time.monotonic() - began < 12 * 0.1


@pytest.mark.parametrize(
    "fault",
    [
        Fault(429, "slow down", (("Retry-After", "0"),)),
        Fault(500, "engine died"),
        Fault(503, "loading"),
        Fault(drop=True),
        Fault(200, "not JSON"),
        Fault(200, '{"choices": []}'),
        Fault(200, '{"choices": [{"text": "x", "finish_reason": "abort"}]}'),
        Fault(200, '{"choices": [{"text": "x", "finish_reason": null}]}'),
    ],
    ids=lambda fault: f"{fault.status} {fault.body[:40]} {'drop' if fault.drop else ''}",
)
def test_a_passing_failure_is_tried_again(
    engine: OpenAIEngine, server: OpenAIServer, fault: Fault
) -> None:
    server.faults = [fault]
    (samples,) = engine.complete([HELLO])
    assert [sample.text for sample in samples] == [script("hello", k)[:8] for k in (1, 2, 3)]
    assert len(server.requests) == 4


def test_a_lasting_failure_is_unavailable_and_names_the_address(
    engine: OpenAIEngine, server: OpenAIServer
) -> None:
    server.faults = [Fault(500, "no  GPU\nleft")] * 99
    with pytest.raises(EngineUnavailable) as failure:
        engine.complete([HELLO])
    assert f"{server.url}/v1/completions: HTTP 500: no GPU left" in str(failure.value)


def test_a_server_that_hangs_is_unavailable(server: OpenAIServer) -> None:
    server.faults = [Fault(hang=0.5)] * 2
    hasty = OpenAIEngine(server.url, "m", timeout=0.1, retrying=Retrying(2, 0.01))
    with pytest.raises(EngineUnavailable, match="no answer in time"):
        hasty.complete([CompletionRequest("x", (1,), 8, 1.0)])
    hasty.close()


def test_a_dead_server_is_unavailable_and_named() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    engine = OpenAIEngine(f"http://127.0.0.1:{port}", "m", retrying=QUICK)
    with pytest.raises(EngineUnavailable, match=f"http://127.0.0.1:{port}/v1/completions"):
        engine.complete([HELLO])
    engine.close()


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_request_at_fault_is_refused_with_its_place(
    engine: OpenAIEngine, server: OpenAIServer, status: int
) -> None:
    server.faults = [Fault(status, "too long")]
    with pytest.raises(EngineRefused, match=f"HTTP {status}.*too long") as refusal:
        engine.complete([CompletionRequest("x", (1,), 8, 1.0)])
    assert refusal.value.index == 0
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_wrong_setup_is_no_requests_fault_and_not_tried_again(
    engine: OpenAIEngine, server: OpenAIServer, status: int
) -> None:
    server.faults = [Fault(status, "who are you?")]
    with pytest.raises(EngineUnavailable, match=f"HTTP {status}: who are you"):
        engine.complete([CompletionRequest("x", (1,), 8, 1.0)])
    assert len(server.requests) == 1


def test_a_withheld_answer_is_refused(engine: OpenAIEngine, server: OpenAIServer) -> None:
    withheld = {"choices": [{"message": {"content": None}, "finish_reason": "content_filter"}]}
    server.faults = [Fault(200, json.dumps(withheld))]
    with pytest.raises(EngineRefused, match="content filter"):
        engine.complete([CompletionRequest("x", (1,), 8, 1.0)])


def test_the_key_comes_from_the_environment(
    server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_ENGINE_KEY", "s3cret")
    engine = OpenAIEngine(server.url, "m", api_key_env="TEST_ENGINE_KEY")
    engine.complete([HELLO])
    engine.close()
    assert {r["headers"]["Authorization"] for r in server.requests} == {"Bearer s3cret"}
    assert "s3cret" not in engine.name
