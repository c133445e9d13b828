"""The HTTP engine against a server on loopback, on good and on bad days."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

import pytest

from labeling.domain.engines import Endpoint
from tests.engine_contract import check_contract
from tests.engines import ScriptedEngine
from tests.openai_server import Fault, OpenAIServer, openai_server, wait_until
from workers.engines.openai_engine import OpenAIEngine
from workers.engines.protocol import (
    Answer,
    Completion,
    EngineRefused,
    EngineUnavailable,
    Message,
    Prompt,
    Sample,
    complete,
)
from workers.engines.retrying import Retrying

QUICK = Retrying(attempts=3, first=0.01, longest=0.05)


def hello(*seeds: int, prompt: Prompt = "hello", **fields: object) -> list[Sample]:
    return [Sample(prompt, seed, 8, 1.0, **fields) for seed in seeds]  # type: ignore[arg-type]


def script(prompt: str, seed: int) -> str:
    return blake2b(f"{prompt}{seed}".encode()).hexdigest()[: 10 + seed % 20]


def texts(answers: list[Answer]) -> list[str]:
    return [answer.text for answer in answers if isinstance(answer, Completion)]


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with openai_server(ScriptedEngine(script)) as server:
        yield server


@pytest.fixture
def engine(server: OpenAIServer) -> Iterator[OpenAIEngine]:
    yield from opened(server.url, 4)


def opened(url: str, concurrency: int, **times: float) -> Iterator[OpenAIEngine]:
    given = {"timeout": 2.0, "patience": 0.3, **times}
    engine = OpenAIEngine([Endpoint(url, concurrency)], "m", retrying=QUICK, **given)
    yield engine
    engine.close()


@pytest.fixture
def one_at_a_time(server: OpenAIServer) -> Iterator[OpenAIEngine]:
    yield from opened(server.url, 1)


@pytest.fixture
def patient(server: OpenAIServer) -> Iterator[OpenAIEngine]:
    yield from opened(server.url, 4, patience=5.0, timeout=60.0)


@pytest.fixture
def hasty(server: OpenAIServer) -> Iterator[OpenAIEngine]:
    yield from opened(server.url, 4, timeout=0.2)


def test_the_engine_keeps_the_contract(engine: OpenAIEngine) -> None:
    check_contract(engine, ("one", (Message("user", "two"),)))


def test_each_sample_is_one_request_with_its_own_seed(
    engine: OpenAIEngine, server: OpenAIServer
) -> None:
    assert texts(complete(engine, hello(1, 2, 3))) == [script("hello", k)[:8] for k in (1, 2, 3)]
    assert sorted(request["seed"] for request in server.requests) == [1, 2, 3]
    assert {request["path"] for request in server.requests} == {"/v1/completions"}
    assert all("n" not in request for request in server.requests)


def test_an_assistants_last_message_is_continued(
    one_at_a_time: OpenAIEngine, server: OpenAIServer
) -> None:
    asked, begun = Message("user", "P"), Message("assistant", "Step 1\n\n")
    complete(one_at_a_time, hello(1, prompt=(asked, begun)))
    complete(one_at_a_time, hello(1, prompt=(asked,)))
    continued, fresh = server.requests
    assert continued["path"] == "/v1/chat/completions"
    assert continued["continue_final_message"] is True
    assert continued["add_generation_prompt"] is False
    assert "continue_final_message" not in fresh


def test_requests_that_share_a_beginning_are_sent_side_by_side(
    one_at_a_time: OpenAIEngine, server: OpenAIServer
) -> None:
    prompts = ["b2", "a1", "b1", "a2", "a1"]
    samples = [Sample(prompt, at, 8, 1.0) for at, prompt in enumerate(prompts)]
    answers = complete(one_at_a_time, samples)
    assert [request["prompt"] for request in server.requests] == ["a1", "a1", "a2", "b1", "b2"]
    assert texts(answers) == [script(prompt, at)[:8] for at, prompt in enumerate(prompts)]


def test_concurrency_is_bounded_and_used(engine: OpenAIEngine, server: OpenAIServer) -> None:
    server.delay = 0.1
    began = time.monotonic()
    complete(engine, hello(*range(12)))
    assert server.busiest == 4
    assert time.monotonic() - began < 12 * 0.1


def test_slots_hold_a_reserve_of_a_quarter(engine: OpenAIEngine) -> None:
    assert engine.slots == 5


def test_nothing_in_flight_is_not_waited_for(engine: OpenAIEngine) -> None:
    began = time.monotonic()
    assert engine.finished(5) == []
    assert time.monotonic() - began < 1


def test_a_wait_without_an_answer_ends(engine: OpenAIEngine, server: OpenAIServer) -> None:
    server.delay = 0.5
    engine.submit(hello(1))
    assert engine.finished(0) == []
    assert engine.finished(0.05) == []
    assert [sample.seed for sample, _ in engine.finished(5)] == [1]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(429, "slow down", (("Retry-After", "0"),)),
        Fault(429, "slow down"),
        Fault(500, "engine died"),
        Fault(503, "loading"),
        Fault(drop=True),
        Fault(200, "not JSON"),
        Fault(200, "[" * 100_000),
        Fault(200, '{"choices": []}'),
        Fault(200, '{"choices": [{"text": "x", "finish_reason": "abort"}]}'),
        Fault(200, '{"choices": [{"text": "x", "finish_reason": null}]}'),
        Fault(200, '{"choices": [{"text": "x", "finish_reason": ["stop"]}]}'),
        Fault(200, '{"choices": [{"text": {"a": 1}, "finish_reason": "stop"}]}'),
        Fault(
            200,
            '{"choices": [{"text": "x", "finish_reason": "stop"}],'
            ' "usage": {"prompt_tokens": 1e999}}',
        ),
        Fault(200, "no size\r\n{}", (("Transfer-Encoding", "chunked"),)),
    ],
    ids=lambda fault: f"{fault.status} {fault.body[:60]} {'drop' if fault.drop else ''}",
)
def test_a_passing_failure_is_tried_again(
    engine: OpenAIEngine, server: OpenAIServer, fault: Fault
) -> None:
    server.faults = [fault]
    answers = complete(engine, hello(1, 2, 3))
    assert texts(answers) == [script("hello", k)[:8] for k in (1, 2, 3)]
    assert len(server.requests) == 4


def test_a_lasting_failure_is_unavailable_and_names_the_address(
    engine: OpenAIEngine, server: OpenAIServer
) -> None:
    server.always = Fault(500, "no  GPU\nleft")
    with pytest.raises(EngineUnavailable) as failure:
        complete(engine, hello(1, 2, 3))
    assert f"{server.url}/v1/completions: HTTP 500: no GPU left" in str(failure.value)
    assert failure.value.retry


def test_a_server_that_was_given_up_is_asked_anew(
    engine: OpenAIEngine, server: OpenAIServer
) -> None:
    server.always = Fault(500, "down")
    with pytest.raises(EngineUnavailable):
        complete(engine, hello(1, 2, 3))
    server.always = None
    assert len(texts(complete(engine, hello(1, 2, 3)))) == 3


def test_a_slow_answer_after_a_failure_is_waited_for_beyond_patience(
    one_at_a_time: OpenAIEngine, server: OpenAIServer
) -> None:
    server.faults, server.delay = [Fault(500)], 0.8
    assert len(texts(complete(one_at_a_time, hello(1)))) == 1


def test_a_sample_that_fails_while_others_succeed_is_refused(
    engine: OpenAIEngine, server: OpenAIServer
) -> None:
    poison = Sample("a poison", 1, 8, 1.0)
    real, server.engine = server.engine, ScriptedEngine(_poisoned)
    answers = complete(engine, [poison, *hello(*range(60))])
    assert isinstance(answers[0], EngineRefused)
    assert "failed 3 times while others were answered" in str(answers[0])
    assert len(texts(answers)) == 60
    assert real is not server.engine


def _poisoned(prompt: str, seed: int) -> str:
    if prompt == "a poison":
        raise ConnectionResetError  # the server's thread ends, and with it the connection
    time.sleep(0.01)
    return script(prompt, seed)


def test_a_server_that_hangs_is_unavailable(hasty: OpenAIEngine, server: OpenAIServer) -> None:
    server.always = Fault(hang=5)
    with pytest.raises(EngineUnavailable, match=r"no answer within 0\.2 s"):
        complete(hasty, hello(1))


def test_a_server_that_drips_its_answer_holds_no_thread_longer_than_the_limit(
    hasty: OpenAIEngine, server: OpenAIServer
) -> None:
    server.faults = [Fault(drip=0.05)] * 4  # a byte each 50 ms: no single read is slow
    began = time.monotonic()
    assert len(texts(complete(hasty, hello(1, 2, 3, 4)))) == 4
    assert time.monotonic() - began < 2
    assert len(server.requests) == 8


def test_an_answer_without_end_is_not_read_to_its_end(
    engine: OpenAIEngine, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.engines.connection.MAX_BYTES", 1_000)
    server.always = Fault(200, "x" * 2_000)
    with pytest.raises(EngineUnavailable, match="an answer of more than 1000 bytes"):
        complete(engine, hello(1))


def test_a_dead_server_is_unavailable_and_named() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    engine = OpenAIEngine(f"http://127.0.0.1:{port}", "m", retrying=QUICK, patience=0.2)
    with pytest.raises(EngineUnavailable, match=f"http://127.0.0.1:{port}/v1/completions: cannot"):
        complete(engine, hello(1))
    engine.close()


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_sample_at_fault_is_refused_alone(
    engine: OpenAIEngine, server: OpenAIServer, status: int
) -> None:
    server.faults = [Fault(status, "too long")]
    answers = complete(engine, hello(1, 2))
    assert len(texts(answers)) == 1
    (refusal,) = (answer for answer in answers if isinstance(answer, EngineRefused))
    assert f"HTTP {status}: too long" in str(refusal)
    assert len(server.requests) == 2


def test_a_server_that_refuses_everything_is_at_fault_itself(
    engine: OpenAIEngine, server: OpenAIServer
) -> None:
    server.always = Fault(400, "unknown argument")
    with pytest.raises(EngineUnavailable, match="first 32 samples were all refused") as failure:
        complete(engine, hello(*range(40)))
    assert not failure.value.retry


def test_a_server_that_refuses_all_begun_chats_is_at_fault_although_it_answers_texts(
    engine: OpenAIEngine, server: OpenAIServer
) -> None:
    real = server.answer

    def answer(path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return (400, {}) if "continue_final_message" in body else real(path, body)

    server.answer = answer  # type: ignore[method-assign]
    assert len(texts(complete(engine, hello(1)))) == 1
    begun = (Message("user", "P"), Message("assistant", "Step 1"))
    with pytest.raises(EngineUnavailable, match="first 32 samples were all refused"):
        complete(engine, hello(*range(40), prompt=begun))


@pytest.mark.parametrize("status", [301, 401, 403, 404])
def test_a_wrong_setup_is_no_samples_fault_and_not_tried_again(
    one_at_a_time: OpenAIEngine, server: OpenAIServer, status: int
) -> None:
    server.always = Fault(status, "no", (("Location", "http://127.0.0.1:1/"),))
    with pytest.raises(EngineUnavailable, match=f"HTTP {status}") as failure:
        complete(one_at_a_time, hello(1, 2, 3))
    assert not failure.value.retry
    assert len(server.requests) == 1


def test_the_pause_that_a_server_asks_for_is_kept(
    patient: OpenAIEngine, server: OpenAIServer
) -> None:
    server.faults = [Fault(429, "later", (("Retry-After", "1"),))]
    began = time.monotonic()
    assert len(texts(complete(patient, hello(1)))) == 1
    assert 1 <= time.monotonic() - began < 2


def test_the_wish_for_a_longer_pause_than_patience_is_passed_on(
    one_at_a_time: OpenAIEngine, server: OpenAIServer
) -> None:
    server.always = Fault(429, "quota", (("Retry-After", "90"),))
    with pytest.raises(EngineUnavailable, match="quota") as failure:
        complete(one_at_a_time, hello(1))
    assert failure.value.wait == 90
    assert len(server.requests) == 1


def test_a_withheld_answer_is_refused(engine: OpenAIEngine, server: OpenAIServer) -> None:
    withheld = {"choices": [{"message": {"content": None}, "finish_reason": "content_filter"}]}
    server.faults = [Fault(200, json.dumps(withheld))]
    (refusal,) = complete(engine, hello(1))
    assert "content filter" in str(refusal)


def test_a_stop_that_the_server_ignores_is_kept_all_the_same(
    engine: OpenAIEngine, server: OpenAIServer
) -> None:
    answer = {"choices": [{"text": "a\x00b STOP c \ud800", "finish_reason": "length"}]}
    server.always = Fault(200, json.dumps(answer))
    (stopped,) = complete(engine, hello(1, stop=("STOP",)))
    assert stopped == Completion("a\ufffdb ", "stop", 0, 0)
    (whole,) = complete(engine, hello(2))
    assert whole == Completion("a\ufffdb STOP c \ufffd", "length", 0, 0)


def test_the_key_comes_from_the_environment_and_is_never_repeated(
    server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_ENGINE_KEY", "s3cret\n")
    engine = OpenAIEngine([Endpoint(server.url, 1, "TEST_ENGINE_KEY")], "m", retrying=QUICK)
    server.faults = [Fault(400, "the key s3cret is odd")]
    (refusal,) = complete(engine, hello(1))
    engine.close()
    assert {r["headers"]["Authorization"] for r in server.requests} == {"Bearer s3cret"}
    assert "s3cret" not in engine.name + str(refusal)
    assert "the key *** is odd" in str(refusal)


def test_a_connection_is_kept_and_made_anew_where_the_server_closed_it(
    one_at_a_time: OpenAIEngine, server: OpenAIServer
) -> None:
    complete(one_at_a_time, hello(1, 2, 3))
    (thread,) = one_at_a_time._servers[0].threads
    server.stop()
    server.start()
    assert len(texts(complete(one_at_a_time, hello(4)))) == 1
    assert [request["seed"] for request in server.requests] == [1, 2, 3, 4]
    assert one_at_a_time._servers[0].threads == [thread]


def test_what_is_canceled_is_dropped_and_the_server_told(
    patient: OpenAIEngine, server: OpenAIServer
) -> None:
    server.faults = [Fault(hang=30)] * 4
    patient.submit(hello(1, 2, 3, 4, 5))
    wait_until(lambda: len(server.requests) == 4)
    patient.cancel()
    began = time.monotonic()
    assert texts(complete(patient, hello(5, 6))) == [script("hello", k)[:8] for k in (5, 6)]
    assert time.monotonic() - began < 5  # its threads hang no longer
    assert patient.finished(0.05) == []


def test_close_ends_the_threads(patient: OpenAIEngine, server: OpenAIServer) -> None:
    server.always = Fault(hang=30)
    patient.submit(hello(*range(9)))
    wait_until(lambda: len(server.requests) == 4)
    assert len(threads_of(server)) == 4
    patient.close()
    assert threads_of(server) == []


def threads_of(server: OpenAIServer) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith(server.url)]


def test_a_fault_of_the_engine_itself_is_heard_of(
    engine: OpenAIEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.engines.endpoints.read", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        complete(engine, hello(1, 2))
