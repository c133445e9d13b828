"""The examination of a served PRM: what it finds at servers that are right, wrong and gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pooling_server import MODEL, PoolingServer, logit, pooling_server, right
from tests.tiny_models import make_tiny_qwen
from trainer import checkpoints
from trainer.encoding import load_tokenizer
from trainer.formats import open_encoder
from workers.engines.findings import Finding, State
from workers.engines.pooling_check import examine


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prm")
    backbone = make_tiny_qwen(folder / "backbone", context=1024)
    checkpoints.save(*checkpoints.start(backbone), folder / "prm")
    return folder / "prm"


@pytest.fixture
def server(model: Path) -> Iterator[PoolingServer]:
    with pooling_server(open_encoder("checkpoint", model).step_id) as server:
        yield server


def found(model: Path, *urls: str, name: str = MODEL) -> dict[str, Finding]:
    options = {"url": list(urls), "tokenizer": str(model)}
    return {finding.check: finding for finding in examine(name, options)}


def test_a_server_that_is_right_is_found_so(model: Path, server: PoolingServer) -> None:
    findings = found(model, server.url)
    assert {f.state for f in findings.values()} <= {State.OK, State.NOTE}
    assert findings["format"].said == "one row per step as checkpoint or qwen-prm"
    assert findings["speed"].figures["solutions_per_second"] > 0
    assert f"reachable: {server.url}" in findings


@pytest.mark.parametrize("token", ["7", "<|im_end|>"])
def test_a_wrong_step_token_is_found_with_the_flags(
    model: Path, server: PoolingServer, token: str
) -> None:
    server.step_id = load_tokenizer(model).get_vocab()[token]
    finding = found(model, server.url)["format"]
    assert finding.state is State.BAD
    wanted = open_encoder("checkpoint", model).step_id
    assert f'"step_tag_id": {wanted}' in finding.said
    assert "speed" not in found(model, server.url)


def test_the_format_is_told_by_the_servers_step_token(model: Path, server: PoolingServer) -> None:
    server.step_id = open_encoder("trl", model).step_id
    assert found(model, server.url)["format"].said == "one row per step as trl"


def test_two_servers_with_different_weights_are_found(model: Path, server: PoolingServer) -> None:
    with pooling_server(server.step_id) as other:
        assert found(model, server.url, other.url)["servers agree"].state is State.OK
        other.rows = lambda ids: [
            [right(ids, place), 1 - right(ids, place)]
            for place, token in enumerate(ids)
            if token == other.step_id
        ]
        finding = found(model, server.url, other.url)["servers agree"]
        assert finding.state is State.BAD
        assert finding.figures["apart"] > 0.02


@pytest.mark.parametrize(("sign", "state"), [(1, State.OK), (-1, State.NOTE)])
def test_a_model_whose_classes_are_swapped_is_noted(
    model: Path, server: PoolingServer, sign: int, state: State
) -> None:
    # "9" is behind "5" in this tokenizer's order of characters: the larger id is the wrong step.
    def rows(ids: list[int]) -> Any:
        places = [place for place, token in enumerate(ids) if token == server.step_id]
        scores = [0.5 - sign * (sum(ids[:place]) % 997) / 2_000 for place in places]
        return [[1 - score, score] for score in scores]

    server.rows = rows
    assert found(model, server.url)["tells right from wrong"].state is state


def test_nothing_more_is_asked_of_a_server_that_is_gone(model: Path) -> None:
    findings = found(model, "http://127.0.0.1:9")
    assert [finding.state for finding in findings.values()] == [State.BAD]


def test_a_model_that_is_not_there_is_found(model: Path, server: PoolingServer) -> None:
    findings = found(model, server.url, name="another")
    assert findings["format"].state is State.BAD
    assert "`another` does not exist" in findings["format"].said


def test_logits_are_asked_for_as_probabilities(model: Path, server: PoolingServer) -> None:
    server.rows = lambda ids: [
        [0.0, logit(ids, place)] for place, token in enumerate(ids) if token == server.step_id
    ]
    assert "raw logits" in found(model, server.url)["format"].said
