"""A PRM behind HTTP: a real server on loopback, its bad days, and its wrong settings."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.pooling_contract import check_contract
from tests.pooling_server import MODEL, Fault, PoolingServer, pooling_server, right
from tests.tiny_models import make_tiny_qwen
from trainer import checkpoints
from trainer.formats import StepEncoder, open_encoder
from workers.engines.pooling import PoolingScorer
from workers.engines.pooling_options import PoolingOptions
from workers.engines.protocol import EngineRefused, EngineUnavailable
from workers.engines.retrying import Retrying
from workers.engines.scorers import Solution, StepScores

SOLUTIONS: list[Solution] = [
    (f"What is {n} + 1?", (*(f"{n} + {k} is more." for k in range(n % 3)), f"{n + 1}"))
    for n in range(40)
]
TOO_LONG: Solution = ("long?", ("word " * 300,))
QUICK = Retrying(attempts=3, first=0.01, longest=0.02)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of ours, for its tokenizer."""
    folder = tmp_path_factory.mktemp("prm")
    backbone = make_tiny_qwen(folder / "backbone", context=2048)
    checkpoints.save(*checkpoints.start(backbone), folder / "prm")
    return folder / "prm"


@pytest.fixture
def server(model: Path) -> Iterator[PoolingServer]:
    with pooling_server(encoder(model).step_id) as server:
        yield server


@pytest.fixture
def scorer(model: Path) -> Iterator[Callable[..., PoolingScorer]]:
    """Open scorers of the model and close them in the end."""
    opened = []

    def open_scorer(
        *servers: PoolingServer | str, name: str = MODEL, form: str = "checkpoint", **options: Any
    ) -> PoolingScorer:
        urls = [place if isinstance(place, str) else place.url for place in servers]
        given = {"url": urls, "tokenizer": str(model), "batch_tokens": 600, **options}
        opened.append(PoolingScorer(name, form, PoolingOptions.read(given), QUICK))
        return opened[-1]

    yield open_scorer
    for one in opened:
        one.close()


Open = Callable[..., PoolingScorer]


@cache
def encoder(model: Path) -> StepEncoder:
    return open_encoder("checkpoint", model)


def expected(model: Path, solution: Solution) -> StepScores:
    (encoded,) = encoder(model).encode_many([solution])
    return StepScores(tuple(right(encoded.ids, p) for p in encoded.positions), len(encoded.ids))


def check_all(model: Path, found: list[Any]) -> None:
    for solution, scores in zip(SOLUTIONS, found, strict=True):
        known = expected(model, solution)
        assert scores.values == pytest.approx(known.values)
        assert scores.tokens == known.tokens


def test_the_scripted_server_keeps_the_contract(server: PoolingServer) -> None:
    check_contract(server.url, MODEL, server.step_id, 7, server.context)


def test_each_step_has_the_score_of_its_own_prefix(
    model: Path, server: PoolingServer, scorer: Open
) -> None:
    check_all(model, scorer(server).score_many(SOLUTIONS))
    assert len(server.requests) > 3  # in batches
    assert all(sum(map(len, r["input"])) <= 600 for r in server.requests)


def test_no_solutions_ask_nothing(model: Path, server: PoolingServer, scorer: Open) -> None:
    assert scorer(server).score_many([]) == []
    assert server.requests == []


def test_at_most_so_many_requests_are_under_way(
    model: Path, server: PoolingServer, scorer: Open
) -> None:
    server.delay = 0.02
    check_all(model, scorer(server, max_concurrency=3).score_many(SOLUTIONS))
    assert server.busiest == 3


def test_a_fast_server_does_more_than_a_slow_one(
    model: Path, server: PoolingServer, scorer: Open
) -> None:
    with pooling_server(server.step_id) as slow:
        slow.delay = 0.3
        both = scorer(server, slow, max_concurrency=1)
        check_all(model, both.score_many(SOLUTIONS))
        assert 1 <= len(slow.requests) < len(server.requests)


def test_a_long_solution_is_refused_by_itself_before_it_is_sent(
    model: Path, server: PoolingServer, scorer: Open
) -> None:
    asked = scorer(server, max_length=1000)
    first, long, last = asked.score_many([SOLUTIONS[0], TOO_LONG, SOLUTIONS[1]])
    assert (first, last) == tuple(asked.score_many(SOLUTIONS[:2]))
    assert isinstance(long, EngineRefused)
    assert str(long) == "1 of 1 steps lie behind the model's 1000 tokens"
    assert all(len(ids) <= 1000 for request in server.requests for ids in request["input"])


def test_one_that_the_server_refuses_costs_the_others_nothing(
    model: Path, server: PoolingServer, scorer: Open
) -> None:
    # The checkpoint says 2,048 tokens; this server was started with 1,024.
    found = scorer(server, batch_tokens=100_000).score_many([*SOLUTIONS, TOO_LONG])
    check_all(model, found[:-1])
    assert isinstance(found[-1], EngineRefused)
    assert "maximum context length is 1024 tokens" in str(found[-1])


def test_a_server_that_refuses_everything_is_wrong_and_not_the_solutions(
    model: Path, server: PoolingServer, scorer: Open
) -> None:
    server.always = Fault(400, '{"error": "Unsupported task"}')
    with pytest.raises(
        EngineUnavailable, match=r"Unsupported task.* start it with --runner"
    ) as caught:
        scorer(server).score_many(SOLUTIONS)
    assert not caught.value.retry


@pytest.mark.parametrize(
    "fault",
    [
        Fault(503, "warming up"),
        Fault(500, "engine dead"),
        Fault(429, "busy", (("Retry-After", "0"),)),
        Fault(drop=True),
        Fault(200, "<html>"),
        Fault(200, "[" * 5_000),
        Fault(200, '{"data": []}'),
    ],
)
def test_a_passing_fault_is_tried_again(
    model: Path, server: PoolingServer, scorer: Open, fault: Fault
) -> None:
    server.faults = [fault, fault]
    check_all(model, scorer(server).score_many(SOLUTIONS))
    assert not server.faults


def test_a_server_that_keeps_failing_is_unavailable(
    model: Path, server: PoolingServer, scorer: Open
) -> None:
    server.always = Fault(503, "warming up")
    with pytest.raises(EngineUnavailable, match=f"{server.url}/pooling: HTTP 503: warming up"):
        scorer(server, max_concurrency=1).score_many(SOLUTIONS)
    assert len(server.requests) == QUICK.attempts


def test_another_server_takes_over_and_the_dead_one_rests(
    model: Path, server: PoolingServer, scorer: Open
) -> None:
    with pooling_server(server.step_id) as dead:
        dead.always = Fault(500, "engine dead")
        server.delay = 0.05
        both = scorer(dead, server, max_concurrency=1)
        check_all(model, both.score_many(SOLUTIONS))
        tried = len(dead.requests)
        assert tried == QUICK.attempts
        check_all(model, both.score_many(SOLUTIONS))
        assert len(dead.requests) == tried


def test_no_server_at_all_is_unavailable(scorer: Open) -> None:
    with pytest.raises(EngineUnavailable, match=r"http://127\.0\.0\.1:9/pooling"):
        scorer("http://127.0.0.1:9").score_many(SOLUTIONS)


@pytest.mark.parametrize(
    "fault",
    [Fault(hang=60), Fault(drip=0.05), Fault(drip_header=0.05)],
    ids=["hang", "drip", "head"],
)
def test_a_time_limit_holds_however_slowly_a_server_answers(
    model: Path, server: PoolingServer, scorer: Open, fault: Fault
) -> None:
    server.always = fault
    begun = time.monotonic()
    with pytest.raises(EngineUnavailable, match=r"0\.3 s"):
        scorer(server, timeout=0.3, max_concurrency=1).score_many(SOLUTIONS)
    assert time.monotonic() - begun < 3 * 0.3 + 2


def test_a_wrong_model_ends_the_work_without_another_try(
    model: Path, server: PoolingServer, scorer: Open
) -> None:
    wrong = scorer(server, name="another", max_concurrency=1)
    with pytest.raises(EngineUnavailable, match="`another` does not exist") as caught:
        wrong.score_many(SOLUTIONS)
    assert not caught.value.retry
    assert len(server.requests) == 1


def test_a_server_without_pooling_is_told_how_to_be_started(
    model: Path, server: PoolingServer, scorer: Open
) -> None:
    server.always = Fault(404, '{"detail": "Not Found"}')
    with pytest.raises(EngineUnavailable, match="start it with --runner pooling"):
        scorer(server).score_many(SOLUTIONS)


def test_the_silent_empty_answer_of_a_wrong_step_token_is_heard(
    model: Path, server: PoolingServer, scorer: Open
) -> None:
    server.rows = lambda ids: []
    flags = f'--pooler-config .*"step_tag_id": {server.step_id}'
    with pytest.raises(EngineUnavailable, match=f"no row for a solution of .*{flags}") as caught:
        scorer(server).score_many(SOLUTIONS)
    assert not caught.value.retry


def test_a_server_is_asked_for_probabilities(
    model: Path, server: PoolingServer, scorer: Open
) -> None:
    scorer(server).score_many(SOLUTIONS[:1])
    assert server.requests[0]["use_activation"] is True


def test_an_endless_answer_is_not_read_to_its_end(
    model: Path, server: PoolingServer, scorer: Open
) -> None:
    server.always = Fault(200, " " * 17 * 2**20)
    with pytest.raises(EngineUnavailable, match="more than 16777216 bytes"):
        scorer(server, max_concurrency=1).score_many(SOLUTIONS[:1])


def test_the_key_comes_from_the_environment_and_stays_out_of_messages(
    model: Path, server: PoolingServer, scorer: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRM_KEY", "s3cret")
    asked = scorer(server, api_key_env="PRM_KEY")
    asked.score_many(SOLUTIONS[:1])
    assert server.requests[0]["headers"]["Authorization"] == "Bearer s3cret"
    server.always = Fault(401, json.dumps({"error": "Incorrect key: s3cret"}))
    with pytest.raises(EngineUnavailable, match=r"HTTP 401.*Incorrect key: \*\*\*") as caught:
        asked.score_many(SOLUTIONS[:1])
    assert not caught.value.retry


def test_a_key_that_is_not_there_is_missed_before_anything_is_sent(
    model: Path, server: PoolingServer, scorer: Open
) -> None:
    with pytest.raises(EngineUnavailable, match="PRM_KEY holds no API key"):
        scorer(server, api_key_env="PRM_KEY")


def test_a_format_that_does_not_fit_the_tokenizer_is_said_at_once(
    model: Path, server: PoolingServer, scorer: Open
) -> None:
    with pytest.raises(EngineUnavailable, match=r"cannot ask tiny: .*'ки'") as caught:
        scorer(server, form="math-shepherd")
    assert not caught.value.retry
