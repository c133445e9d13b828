"""The embedded engine against transformers' own generation, and a text's independence."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.engine_contract import check_contract
from tests.tiny_models import make_tiny_qwen
from workers.engines.protocol import (
    Answer,
    Completion,
    EngineRefused,
    EngineUnavailable,
    Message,
    Sample,
    complete,
)
from workers.engines.rolling import Rolling
from workers.engines.transformers_engine import TransformersEngine

CHECKPOINT = Path(__file__).resolve().parents[3] / "demo" / "checkpoint"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_qwen(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[TransformersEngine]:
    engine = TransformersEngine(str(folder))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def demo() -> Iterator[TransformersEngine]:
    engine = TransformersEngine(str(CHECKPOINT))
    yield engine
    engine.close()


def samples(count: int, each: int = 3, tokens: int = 24) -> list[Sample]:
    """Prompts of many lengths, some equal, some beginning others, each with its own seeds."""
    dice = random.Random(7)
    prompts = ["x" * dice.randint(1, 30) + str(dice.randint(0, 3)) for _ in range(count)]
    return [
        Sample(prompt, dice.getrandbits(63), tokens, 1.0) for prompt in prompts for _ in range(each)
    ]


def completions(engine: TransformersEngine, asked: list[Sample]) -> list[Completion]:
    return [answer for answer in complete(engine, asked) if isinstance(answer, Completion)]


def test_the_engine_keeps_the_contract(engine: TransformersEngine) -> None:
    chat = (Message("user", "hello"), Message("assistant", "I"))
    check_contract(engine, ("Problem: 1 + 1?", chat))


def test_the_demo_checkpoint_keeps_the_contract(demo: TransformersEngine) -> None:
    check_contract(demo, ("Problem: 9 + 4 * 5?\n\n", "Problem: 2 * 3 + 4 + 4?\n\n"))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_text_does_not_depend_on_the_batch(folder: Path, dtype: str) -> None:
    asked = samples(40)
    engine = TransformersEngine(str(folder), dtype=dtype, prefix_cache_mb=0)
    together = complete(engine, asked)
    shuffled = random.Random(1).sample(range(120), 120)
    assert complete(engine, [asked[i] for i in shuffled]) == [together[i] for i in shuffled]
    for index in range(0, 120, 30):
        assert complete(engine, [asked[index]]) == [together[index]]
    small = TransformersEngine(str(folder), dtype=dtype, max_rows=5, max_prefill_tokens=40)
    # The second time every prompt is known but for its last token.
    assert complete(small, asked) == together
    assert complete(small, asked) == together
    for opened in (engine, small):
        opened.close()


def test_rows_join_while_others_go_on(engine: TransformersEngine) -> None:
    long, short = Sample("abc", 1, 100, 1.0), [Sample("defg", k, 2, 1.0) for k in range(6)]
    alone = dict(zip([long, *short], complete(engine, [long, *short]), strict=True))
    engine.submit([long])
    order: list[tuple[Sample, Answer]] = []
    for sample in short:
        engine.submit([sample])
        while sample not in dict(order):
            order += engine.finished(1.0)
    while len(order) < 7:
        order += engine.finished(1.0)
    assert dict(order) == alone


@pytest.mark.parametrize("lengths", [(5, 5, 5), (3, 9, 17)], ids=["equal", "ragged"])
def test_greedy_texts_equal_transformers_own(
    engine: TransformersEngine, folder: Path, lengths: tuple[int, ...]
) -> None:
    prompts = ["".join(chr(97 + (7 * i + n) % 26) for i in range(n)) for n in lengths]
    found = completions(engine, [Sample(p, 0, 40, 0.0) for p in prompts])
    assert [answer.text for answer in found] == [own_text(folder, p, 40) for p in prompts]


def own_text(folder: Path, prompt: str, tokens: int) -> str:
    """What transformers' generate writes greedily."""
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    ids = tokenizer(prompt, return_tensors="pt").input_ids
    made = AutoModelForCausalLM.from_pretrained(folder).generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=tokens, do_sample=False
    )
    return str(tokenizer.decode(made[0, ids.shape[1] :], skip_special_tokens=True))


def test_the_end_token_stops_a_text_and_is_not_part_of_it(engine: TransformersEngine) -> None:
    found = completions(engine, [Sample("seed", seed, 60, 1.0) for seed in range(200)])
    ended = [answer for answer in found if answer.finish_reason == "stop"]
    assert ended
    for answer in ended:
        assert "<|" not in answer.text
        # One token per character, and the end token itself is counted.
        assert answer.completion_tokens >= len(answer.text) + 1
    assert all(a.completion_tokens == 60 for a in found if a.finish_reason == "length")


def test_an_assistants_turn_is_continued_and_a_users_turn_is_answered(
    engine: TransformersEngine,
) -> None:
    user, begun = Message("user", "hi"), Message("assistant", "I am")
    texts = engine.decoder.texts
    assert texts._chat((user,)).endswith("<|im_start|>assistant\n")
    assert texts._chat((user, begun)).endswith("<|im_start|>assistant\nI am")


def test_prompts_that_cannot_be_read_are_refused_alone(demo: TransformersEngine) -> None:
    if demo.decoder.texts.tokenizer.chat_template:
        pytest.fail("the demo checkpoint has a chat template: use another model here")
    good = Sample("Problem: 1 + 1?\n\n", 1, 5, 1.0)
    chat = Sample((Message("user", "hi"),), 1, 5, 1.0)
    bad = [chat] + [Sample(text, 1, 5, 1.0) for text in ("", "\ud800", "9 " * 2_000)]
    *refused, answer = complete(demo, [*bad, good])
    assert isinstance(answer, Completion)
    found = [str(refusal) for refusal in refused if isinstance(refusal, EngineRefused)]
    wanted = ("no chat template", "no tokens", "no text", "do not fit into 1024")
    assert len(found) == 4
    assert all(words in said for words, said in zip(wanted, found, strict=True))


def test_tokenizers_are_loaded_as_they_were_saved(engine: TransformersEngine) -> None:
    # AutoTokenizer would give this "qwen2" folder Qwen2's own pre-tokenizer: other tokens.
    text = "Step 1: 9 + 4 = 3\n\n"
    ids = engine.decoder.texts.encode(text)
    assert len(ids) == len(text)
    assert engine.decoder.texts.decode([], ids) == text


def test_a_prompt_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    demo = TransformersEngine(str(CHECKPOINT))
    read: list[tuple[int, int]] = []
    forward = Rolling._forward

    def counted(self: Rolling, ids: torch.Tensor, *rest: object) -> torch.Tensor:
        read.append(tuple(ids.shape))
        return forward(self, ids, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Rolling, "_forward", counted)
    first = "Problem: 7 + 8 * 3?\n\n"
    second = first + "Step 1: 7 + 8 = 5\n\n"
    completions(demo, [Sample(first, seed, 1, 1.0) for seed in range(8)])
    completions(demo, [Sample(first, seed, 1, 1.0) for seed in range(8, 16)])
    completions(demo, [Sample(second, seed, 2, 1.0) for seed in range(8)])
    # The problem has 8 tokens, the step 7 more. All is read for 8 samples at once; then only the
    # last token; then the step alone, and each of 8 rows is fed the first token that it drew.
    assert read == [(1, 8), (1, 1), (1, 7), (8, 1)]
    demo.close()


def test_out_of_memory_is_passing_and_halves_the_rows(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward = Rolling._forward

    def full(self: Rolling, ids: torch.Tensor, *rest: object) -> torch.Tensor:
        if len(ids) > 3:
            raise torch.OutOfMemoryError("full")
        return forward(self, ids, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Rolling, "_forward", full)
    engine = TransformersEngine(str(folder), max_rows=8)
    asked = [Sample(f"{k}abc", k, 5, 1.0) for k in range(8)]
    for rows in (4, 2):
        with pytest.raises(EngineUnavailable, match=f"{rows} rows") as failure:
            complete(engine, asked)
        assert failure.value.retry
    assert len(completions(engine, asked)) == 8
    engine.close()


def test_whatever_breaks_is_told_and_the_next_samples_are_answered(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = TransformersEngine(str(folder))
    sample = Sample("abc", 1, 5, 1.0)
    with monkeypatch.context() as broken:
        broken.setattr(Rolling, "feed", lambda *_: 1 / 0)
        with pytest.raises(EngineUnavailable, match="ZeroDivisionError") as failure:
            complete(engine, [sample])
        assert isinstance(failure.value.__cause__, ZeroDivisionError)
    assert len(completions(engine, [sample])) == 1
    engine.close()
