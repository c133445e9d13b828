"""What every engine must do, as one check for scripted, embedded and served engines alike."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

from workers.engines.protocol import (
    Answer,
    Completion,
    Engine,
    EngineRefused,
    Prompt,
    Sample,
    complete,
)

HOT = 2.0
"""A temperature at which even a model that is sure of itself varies."""
SEEDS = range(100, 108)
PATIENCE = 120.0
"""Seconds that an engine may take for a handful of samples."""


def check_contract(engine: Engine, prompts: tuple[Prompt, Prompt]) -> None:
    """Fail where an engine breaks the protocol. Its texts must vary with the seed at HOT."""
    assert engine.name
    assert engine.slots > 0
    assert complete(engine, []) == []
    hot, other = _samples(prompts[0]), _samples(prompts[1])[:2]
    texts = _check_texts(engine, hot, other)
    _check_limits(engine, prompts[0], texts)
    known = dict(zip([*hot, *other], complete(engine, [*hot, *other]), strict=True))
    _check_a_refusal(engine, known)
    _check_feeding(engine, known)
    _check_cancel(engine, known)


def _samples(
    prompt: Prompt, tokens: int = 12, temperature: float = HOT, stop: tuple[str, ...] = ()
) -> list[Sample]:
    return [Sample(prompt, seed, tokens, temperature, stop) for seed in SEEDS]


def _completions(engine: Engine, samples: Sequence[Sample]) -> list[Completion]:
    answers = complete(engine, samples)
    assert all(isinstance(answer, Completion) for answer in answers), answers
    return [answer for answer in answers if isinstance(answer, Completion)]


def _check_texts(engine: Engine, hot: list[Sample], other: list[Sample]) -> list[str]:
    together = _completions(engine, [*hot, *other])
    texts = [answer.text for answer in together[: len(hot)]]
    assert len(set(texts)) > 1, "the seeds change nothing"
    for answer in together:
        assert 0 < answer.completion_tokens <= 12
        assert answer.prompt_tokens > 0
        assert answer.finish_reason in ("stop", "length")

    # A text depends on its own prompt and seed: not on its neighbors, nor on their order.
    assert _completions(engine, [*other, *hot[::-1]]) == together[len(hot) :] + together[7::-1]
    assert _completions(engine, hot[5:6]) == together[5:6]

    one, two = _completions(engine, _samples(hot[0].prompt, temperature=0.0)[:2])
    assert one.text == two.text
    return texts


def _check_limits(engine: Engine, prompt: Prompt, texts: list[str]) -> None:
    # The limit only cuts: the shorter text begins the longer one.
    short = _completions(engine, _samples(prompt, tokens=4))
    for brief, full in zip(short, texts, strict=True):
        assert full.startswith(brief.text.rstrip("\ufffd"))
        assert brief.completion_tokens <= 4
    assert {answer.finish_reason for answer in short if answer.completion_tokens == 4} >= {"length"}

    longest = max(texts, key=lambda text: sum(map(str.isascii, text)))
    letters = [letter for letter in longest if letter.isascii()]
    mark = letters[len(letters) // 2]
    cut = _completions(engine, _samples(prompt, stop=(mark,)))
    for answer, full in zip(cut, texts, strict=True):
        assert answer.text == full.partition(mark)[0]
        assert mark not in full or answer.finish_reason == "stop"


def _check_a_refusal(engine: Engine, known: dict[Sample, Answer]) -> None:
    """A sample that can never be answered says so; its neighbors are answered."""
    first, *others = known
    endless = Sample(first.prompt, 1, 10_000_000, HOT)
    refusal, *answers = complete(engine, [endless, *others])
    assert isinstance(refusal, EngineRefused)
    assert str(refusal)
    assert answers == [known[sample] for sample in others]


def _check_feeding(engine: Engine, known: dict[Sample, Answer]) -> None:
    """Samples that come while others are worked on are answered like them, each once."""
    first, *others = known
    engine.submit([first])
    engine.submit(others[:4])
    got = _gathered(engine, 1)
    engine.submit(others[4:])
    got += _gathered(engine, len(known) - len(got))
    assert Counter(sample for sample, _ in got) == Counter(list(known))
    assert dict(got) == known
    assert engine.finished(0.0) == []


def _check_cancel(engine: Engine, known: dict[Sample, Answer]) -> None:
    """What was given up never comes back, and may be asked for again."""
    engine.submit(list(known))
    engine.cancel()
    assert engine.finished(0.0) == []
    again = list(known)[-3:]
    engine.submit(again)
    assert sorted(_gathered(engine, 3), key=repr) == sorted(
        ((sample, known[sample]) for sample in again), key=repr
    )
    engine.submit(list(known))
    _gathered(engine, 1)
    engine.cancel()
    assert complete(engine, again) == [known[sample] for sample in again]
    assert engine.finished(0.2) == []
    engine.cancel()


def _gathered(engine: Engine, count: int) -> list[tuple[Sample, Answer]]:
    """Return at least `count` answers."""
    got: list[tuple[Sample, Answer]] = []
    deadline = time.monotonic() + PATIENCE
    while len(got) < count:
        assert time.monotonic() < deadline, f"{len(got)} of {count} answers came"
        got += engine.finished(1.0)
    return got
