from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pooling_server import Fault, PoolingServer, pooling_server, right
from trainer.encoding import Encoded
from trainer.formats import StepEncoder, open_encoder, vllm_flags
from trainer.http import Endpoint, HttpError
from trainer.pooling_rows import BadAnswer
from trainer.scorers import Unscored, score_each
from trainer.served import ServedScorer, served_model

SOLUTIONS = [("2 + 3?", ("2 + 3 = 5.", "So 5.")), ("1?", ("1",)), ("4?", ("a", "b", "c"))]


@pytest.fixture
def encoder(backbone: Path) -> StepEncoder:
    return open_encoder("checkpoint", backbone)


@pytest.fixture
def server(encoder: StepEncoder) -> Iterator[PoolingServer]:
    with pooling_server(encoder.step_id) as running:
        yield running


def scorer(server: PoolingServer, encoder: StepEncoder, key: str = "") -> ServedScorer:
    endpoint = Endpoint(f"{server.url}/v1", key, timeout=10, pause=0.01)
    flags = vllm_flags(encoder)
    return ServedScorer(endpoint, served_model(endpoint), encoder, flags)


def expected(item: Encoded) -> list[float]:
    return [right(item.ids, place) for place in item.positions]


def test_every_step_gets_its_own_row_in_order(server: PoolingServer, encoder: StepEncoder) -> None:
    solutions = [(f"{n}?", ("x" * (n % 7 + 1),) * (n % 3 + 1)) for n in range(100)]
    scores = score_each(scorer(server, encoder), solutions)
    for found, item in zip(scores, encoder.encode_many(solutions), strict=True):
        assert found == pytest.approx(expected(item))
    assert len(server.requests) > 2  # in several requests


def test_what_is_too_long_for_the_model_or_the_server_is_unscored(
    server: PoolingServer, encoder: StepEncoder
) -> None:
    server.context = 40
    long, too_long = ("p", ("word " * 30,)), ("p", ("word " * 3_000,))
    found = score_each(scorer(server, encoder), [SOLUTIONS[0], long, too_long, SOLUTIONS[1]])
    first, second, third, last = found
    assert isinstance(second, Unscored)
    assert "maximum context length is 40 tokens" in second.reason
    assert isinstance(third, Unscored)
    assert "lie behind the model's 2048 tokens" in third.reason
    (a, b) = encoder.encode_many([SOLUTIONS[0], SOLUTIONS[1]])
    assert (first, last) == (pytest.approx(expected(a)), pytest.approx(expected(b)))


def test_a_server_that_pools_elsewhere_is_told_its_flags(
    server: PoolingServer, encoder: StepEncoder
) -> None:
    server.rows = lambda ids: []
    with pytest.raises(BadAnswer, match=rf"no row for a solution of 2 steps.*{encoder.step_id}"):
        score_each(scorer(server, encoder), SOLUTIONS)


def test_what_passes_is_tried_again_and_what_does_not_is_told(
    server: PoolingServer, encoder: StepEncoder
) -> None:
    served = scorer(server, encoder)
    server.faults += [Fault(503), Fault(drop=True), Fault(429)]
    assert len(score_each(served, SOLUTIONS)) == 3
    server.requests.clear()
    server.faults += [Fault(401, '{"error": "no key"}')]
    with pytest.raises(HttpError, match=r"HTTP 401.*no key"):
        score_each(served, SOLUTIONS)
    assert len(server.requests) == 1
    server.always = Fault(503)
    with pytest.raises(HttpError, match="HTTP 503"):
        score_each(served, SOLUTIONS)
    server.always = Fault(200, "no json")
    with pytest.raises(HttpError, match="no JSON"):
        score_each(served, SOLUTIONS)


def test_the_key_is_sent_and_never_shown(server: PoolingServer, encoder: StepEncoder) -> None:
    served = scorer(server, encoder, "s3cret")
    server.faults += [Fault(403, "bad key s3cret")]
    with pytest.raises(HttpError, match=r"bad key \*\*\*"):
        score_each(served, SOLUTIONS)
    assert server.requests[-1]["headers"]["Authorization"] == "Bearer s3cret"
    assert "s3cret" not in repr(Endpoint("http://x", "s3cret"))
    server.faults += [Fault(302, headers=(("Location", f"{server.url}/elsewhere"),))]
    with pytest.raises(HttpError, match="HTTP 302"):
        score_each(served, SOLUTIONS)


def test_an_address_that_is_none_and_a_dead_server_are_told(encoder: StepEncoder) -> None:
    with pytest.raises(HttpError, match="is no address of a server"):
        Endpoint("file:///etc/passwd").get("/v1/models")
    with pytest.raises(HttpError, match=r"127\.0\.0\.1:9"):
        Endpoint("http://127.0.0.1:9", pause=0.001).get("/v1/models")


def test_batches_are_bounded(server: PoolingServer, encoder: StepEncoder) -> None:
    score_each(scorer(server, encoder), [("p", ("s",))] * 70)
    sizes = sorted(len(request["input"]) for request in server.requests if "input" in request)
    assert sizes == [6, 32, 32]
    assert list(itertools.accumulate(sizes))[-1] == 70
