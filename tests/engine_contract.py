"""What every engine must do, as one check for scripted, embedded and served engines alike."""

from __future__ import annotations

import pytest

from workers.engines.protocol import CompletionRequest, Engine, EngineRefused, Prompt

HOT = 2.0
"""A temperature at which even a model that is sure of itself varies."""


def check_contract(engine: Engine, prompts: tuple[Prompt, Prompt]) -> None:
    """Fail where an engine breaks the protocol. Its texts must vary with the seed at HOT."""
    first, second = prompts
    seeds = tuple(range(100, 108))
    hot = CompletionRequest(first, seeds, 12, HOT)
    other = CompletionRequest(second, seeds[:2], 12, HOT)

    together = engine.complete([hot, other])
    assert [len(samples) for samples in together] == [8, 2]
    texts = [sample.text for sample in together[0]]
    assert len(set(texts)) > 1, "the seeds change nothing"
    for samples in together:
        for sample in samples:
            assert 0 < sample.completion_tokens <= 12
            assert sample.prompt_tokens > 0
            assert sample.finish_reason in ("stop", "length")

    # A text depends on its own prompt and seed: not on its neighbors, nor on their order.
    assert engine.complete([other, hot]) == together[::-1]
    alone = engine.complete([CompletionRequest(first, (seeds[5],), 12, HOT)])
    assert alone[0][0].text == texts[5]

    greedy = engine.complete([CompletionRequest(first, (1, 2), 12, 0.0)])[0]
    assert greedy[0].text == greedy[1].text

    # The limit only cuts: the shorter text begins the longer one.
    short = engine.complete([CompletionRequest(first, seeds, 4, HOT)])[0]
    for brief, full in zip(short, texts, strict=True):
        assert full.startswith(brief.text.rstrip("\ufffd"))
        assert brief.completion_tokens <= 4
    assert {sample.finish_reason for sample in short if sample.completion_tokens == 4} >= {"length"}

    longest = max(texts, key=lambda text: sum(map(str.isascii, text)))
    letters = [letter for letter in longest if letter.isascii()]
    mark = letters[len(letters) // 2]
    cut = engine.complete([CompletionRequest(first, seeds, 12, HOT, (mark,))])[0]
    for sample, full in zip(cut, texts, strict=True):
        assert sample.text == full.partition(mark)[0]
        assert mark not in full or sample.finish_reason == "stop"

    with pytest.raises(EngineRefused) as refusal:
        engine.complete([hot, CompletionRequest(first, (1,), 10_000_000, HOT), other])
    assert refusal.value.index == 1
    assert engine.complete([]) == []
