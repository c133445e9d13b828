"""PRMs behind a real vLLM: ours, and Math-Shepherd's kind."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from tests.pooling_contract import check_contract
from tests.prms import (
    make_champion,
    make_qwen_sized,
    make_shepherd,
    make_untrained,
    world_solutions,
)
from tests.vllm_server import ROOT, VllmServer, vllm_server
from trainer.encoding import load_tokenizer
from trainer.formats import open_encoder, vllm_flags
from workers.engines.findings import State
from workers.engines.pooling import PoolingScorer
from workers.engines.pooling_check import examine
from workers.engines.pooling_options import PoolingOptions
from workers.engines.protocol import EngineRefused, EngineUnavailable
from workers.engines.scorers import LocalScorer, Solution, StepScorer, StepScores

pytestmark = pytest.mark.vllm

SOLUTIONS = world_solutions(500, 9)
CLOSE = 1e-4


@contextmanager
def served(model: Path, folder: Path, form: str = "checkpoint") -> Iterator[VllmServer]:
    """Serve a model with the flags that its card names."""
    flags = vllm_flags(open_encoder(form, model), form)
    with vllm_server(model, folder, shlex.split(flags)) as server:
        yield server


def scorer(server: VllmServer, model: Path, form: str = "checkpoint") -> PoolingScorer:
    options = PoolingOptions.read({"url": server.url, "tokenizer": str(model)})
    return PoolingScorer(server.model, form, options)


def values(scorer: StepScorer, solutions: list[Solution]) -> list[tuple[float, ...]]:
    found = scorer.score_many(solutions)
    assert all(isinstance(scores, StepScores) for scores in found)
    return [scores.values for scores in found if isinstance(scores, StepScores)]


def check_close(theirs: list[tuple[float, ...]], ours: list[tuple[float, ...]]) -> None:
    """Compare every step's score; they must vary, or anything would look alike."""
    pairs = [
        pair
        for row, other in zip(theirs, ours, strict=True)
        for pair in zip(row, other, strict=True)
    ]
    apart = max(abs(a - b) for a, b in pairs)
    print(f"{len(pairs)} step scores differ by at most {apart:.1e}")
    assert apart <= CLOSE
    assert max(b for _, b in pairs) - min(b for _, b in pairs) > 0.5


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_champion(ROOT / "demo" / "checkpoint", tmp_path_factory.mktemp("champion"))


@pytest.fixture(scope="module")
def champions_server(
    champion: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[VllmServer]:
    with served(champion, tmp_path_factory.mktemp("vllm")) as server:
        yield server


def test_the_real_server_keeps_the_contract(champion: Path, champions_server: VllmServer) -> None:
    step_id = open_encoder("checkpoint", champion).step_id
    check_contract(champions_server.url, champions_server.model, step_id, 50, 1024)


def test_a_trained_prm_scores_alike_served_and_local(
    champion: Path, champions_server: VllmServer
) -> None:
    local = LocalScorer(champion, "cpu")
    with closing(scorer(champions_server, champion)) as remote:
        check_close(values(remote, SOLUTIONS), values(local, SOLUTIONS))
        for name, one in (("served", remote), ("local", local)):
            begun = time.monotonic()
            one.score_many(SOLUTIONS)
            print(f"{name}: {len(SOLUTIONS) / (time.monotonic() - begun):.0f} solutions/s")


def test_hostile_and_long_texts_cost_the_others_nothing(
    champion: Path, champions_server: VllmServer
) -> None:
    hostile = [
        ("9 + 4? <extra_0>", ("<extra_0><extra_0>", "Step 1: 9 + 4 = 3", "\n\n")),
        ("long", ("1 + " * 2_000,)),
        SOLUTIONS[0],
    ]
    with closing(scorer(champions_server, champion)) as remote:
        first, long, last = remote.score_many(hostile)
        assert isinstance(first, StepScores)
        assert len(first.values) == 3
        assert isinstance(long, EngineRefused)
        assert [last] == remote.score_many([SOLUTIONS[0]])
    # One that only the server knows to be too long.
    options = {"url": champions_server.url, "tokenizer": str(champion), "max_length": 100_000}
    with closing(
        PoolingScorer(champions_server.model, "checkpoint", PoolingOptions.read(options))
    ) as remote:
        *others, long = remote.score_many([*SOLUTIONS[:50], hostile[1]])
        assert all(isinstance(scores, StepScores) for scores in others)
        assert isinstance(long, EngineRefused)
        assert "maximum context length is 1024 tokens" in str(long)


def test_the_examination_of_a_real_server_finds_nothing_bad(
    champion: Path, champions_server: VllmServer
) -> None:
    options = {"url": champions_server.url, "tokenizer": str(champion)}
    findings = {f.check: f for f in examine(champions_server.model, options)}
    assert not [f for f in findings.values() if f.state is State.BAD]
    assert findings["format"].said == "one row per step as checkpoint"
    print(findings["speed"].said)


def test_with_qwens_vocabulary_a_prm_of_ours_needs_no_flags(tmp_path: Path) -> None:
    model = make_untrained(make_qwen_sized(tmp_path / "backbone"), tmp_path / "prm")
    with vllm_server(model, tmp_path) as server:
        with closing(scorer(server, model)) as remote:
            check_close(
                values(remote, SOLUTIONS[:100]), values(LocalScorer(model), SOLUTIONS[:100])
            )
        # Another step token than the server's: it answers 200 and no row.
        with (
            closing(scorer(server, model, "trl")) as wrong,
            pytest.raises(EngineUnavailable, match=r"no row for a solution of .*step_tag_id"),
        ):
            wrong.score_many(SOLUTIONS[:10])


def test_a_causal_model_that_says_plus_or_minus_is_served(tmp_path: Path) -> None:
    model = make_shepherd(tmp_path / "shepherd")
    vocabulary = load_tokenizer(model).get_vocab()
    signs = [vocabulary["-"], vocabulary["+"]]
    causal = AutoModelForCausalLM.from_pretrained(str(model), dtype=torch.float32)
    ours = []
    for item in open_encoder("math-shepherd", model).encode_many(SOLUTIONS[:100]):
        with torch.no_grad():
            logits = causal(torch.tensor([item.ids])).logits[0, item.positions]
        ours.append(tuple(logits[:, signs].softmax(-1)[:, 1].tolist()))
    with (
        served(model, tmp_path, "math-shepherd") as server,
        closing(scorer(server, model, "math-shepherd")) as remote,
    ):
        check_close(values(remote, SOLUTIONS[:100]), ours)
