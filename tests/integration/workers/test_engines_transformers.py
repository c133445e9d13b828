"""The embedded engine against transformers' own generation, and a text's independence."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.engine_contract import check_contract
from tests.tiny_models import make_tiny_qwen
from workers.engines import decoding
from workers.engines.protocol import (
    Completion,
    CompletionRequest,
    EngineRefused,
    EngineUnavailable,
    Message,
)
from workers.engines.transformers_engine import TransformersEngine

CHECKPOINT = Path(__file__).resolve().parents[3] / "demo" / "checkpoint"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_qwen(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def engine(folder: Path) -> TransformersEngine:
    return TransformersEngine(str(folder))


def requests(count: int, samples: int = 3, tokens: int = 24) -> list[CompletionRequest]:
    """Prompts of many lengths, some equal, each with its own seeds."""
    dice = random.Random(7)
    prompts = ["x" * dice.randint(1, 30) + str(dice.randint(0, 3)) for _ in range(count)]
    return [
        CompletionRequest(prompt, tuple(dice.getrandbits(63) for _ in range(samples)), tokens, 1.0)
        for prompt in prompts
    ]


def test_the_engine_keeps_the_contract(engine: TransformersEngine) -> None:
    chat = (Message("user", "hello"), Message("assistant", "I"))
    check_contract(engine, ("Problem: 1 + 1?", chat))


def test_the_demo_checkpoint_keeps_the_contract() -> None:
    own = TransformersEngine(str(CHECKPOINT))
    check_contract(own, ("Problem: 9 + 4 * 5?\n\n", "Problem: 2 * 3 + 4 + 4?\n\n"))


def test_a_text_does_not_depend_on_the_batch(engine: TransformersEngine, folder: Path) -> None:
    asked = requests(40)
    together = engine.complete(asked)
    shuffled = random.Random(1).sample(range(40), 40)
    assert engine.complete([asked[i] for i in shuffled]) == [together[i] for i in shuffled]
    for index in range(0, 40, 8):
        assert engine.complete([asked[index]]) == [together[index]]
    small = TransformersEngine(str(folder), max_rows=5, max_prefill_tokens=40)
    assert small.complete(asked) == together


def test_equal_prompts_share_one_prefill(
    engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes: list[tuple[int, ...]] = []
    forward = decoding._Batch._forward

    def counted(self: Any, ids: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        shapes.append(tuple(ids.shape))
        return forward(self, ids, positions)

    monkeypatch.setattr(decoding._Batch, "_forward", counted)
    twice = [CompletionRequest("abcdefgh", tuple(range(k, k + 8)), 3, 1.0) for k in (0, 8)]
    engine.complete(twice)
    # One prompt of 8 tokens is read; then two more tokens (the last is not fed) for 16 samples.
    assert shapes == [(1, 8), (16, 1), (16, 1)]


def test_finished_rows_leave_the_batch(
    engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[int] = []
    forward = decoding._Batch._forward

    def counted(self: Any, ids: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        rows.append(len(ids))
        return forward(self, ids, positions)

    monkeypatch.setattr(decoding._Batch, "_forward", counted)
    limits = [CompletionRequest("abc", (k,), 2 if k < 6 else 9, 1.0, ()) for k in range(8)]
    found = engine.complete(limits)
    assert [sample.completion_tokens for (sample,) in found[:6]] <= [2] * 6
    assert rows[1] == 8
    assert rows[-1] <= 2


@pytest.mark.parametrize("lengths", [(5, 5, 5), (3, 9, 17)], ids=["equal", "padded"])
def test_greedy_texts_equal_transformers_own(
    engine: TransformersEngine, lengths: tuple[int, ...]
) -> None:
    prompts = ["".join(chr(97 + (7 * i + n) % 26) for i in range(n)) for n in lengths]
    found = engine.complete([CompletionRequest(p, (0,), 40, 0.0) for p in prompts])
    for prompt, (sample,) in zip(prompts, found, strict=True):
        ids = torch.tensor([engine._texts.encode(prompt)])
        made = engine._model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=40, do_sample=False
        )
        expected = engine._texts.tokenizer.decode(made[0, ids.shape[1] :], skip_special_tokens=True)
        assert sample.text == expected


def test_the_end_token_stops_a_text_and_is_not_part_of_it(engine: TransformersEngine) -> None:
    samples = engine.complete([CompletionRequest("seed", tuple(range(200)), 60, 1.0)])[0]
    ended = [sample for sample in samples if sample.finish_reason == "stop"]
    assert ended
    for sample in ended:
        assert "<|" not in sample.text
        # One token per character, and the end token itself is counted.
        assert sample.completion_tokens >= len(sample.text) + 1
    assert all(s.completion_tokens == 60 for s in samples if s.finish_reason == "length")


def test_an_assistants_turn_is_continued_and_a_users_turn_is_answered(
    engine: TransformersEngine,
) -> None:
    user, begun = Message("user", "hi"), Message("assistant", "I am")
    texts = engine._texts
    assert texts._chat((user,)).endswith("<|im_start|>assistant\n")
    assert texts._chat((user, begun)).endswith("<|im_start|>assistant\nI am")


def test_a_model_without_a_chat_template_refuses_chats() -> None:
    own = TransformersEngine(str(CHECKPOINT))
    if own._texts.tokenizer.chat_template:
        pytest.fail("the demo checkpoint has a chat template: use another model here")
    with pytest.raises(EngineRefused, match="no chat template") as refusal:
        own.complete(
            [
                CompletionRequest("Problem: 1 + 1?\n\n", (1,), 5, 1.0),
                CompletionRequest((Message("user", "hi"),), (1,), 5, 1.0),
            ]
        )
    assert refusal.value.index == 1


@pytest.mark.parametrize("prompt", ["", "x" * 250])
def test_prompts_that_cannot_be_read_are_refused(engine: TransformersEngine, prompt: str) -> None:
    with pytest.raises(EngineRefused):
        engine.complete([CompletionRequest(prompt, (1,), 10, 1.0)])


def test_tokenizers_are_loaded_as_they_were_saved(folder: Path, engine: TransformersEngine) -> None:
    # AutoTokenizer would give this "qwen2" folder Qwen2's own pre-tokenizer: other tokens.
    text = "Step 1: 9 + 4 = 3\n\n"
    ids = engine._texts.encode(text)
    assert len(ids) == len(text)
    assert engine._texts.decode([], ids) == text


def test_out_of_memory_is_passing(
    engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> list[Completion]:
        raise torch.OutOfMemoryError("full")

    monkeypatch.setattr("workers.engines.transformers_engine.decode", full)
    with pytest.raises(EngineUnavailable, match="max_rows"):
        engine.complete([CompletionRequest("abc", (1,), 5, 1.0)])
