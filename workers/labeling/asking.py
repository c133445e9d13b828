"""Ask an engine for what is missing: equal requests once, refused ones set apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from labeling.domain.prompts import Prompt
from workers.engines.protocol import Completion, CompletionRequest, Engine, EngineRefused

Answer = list[Completion] | EngineRefused
"""One completion per seed, or why the engine will never give them."""


def ask(engine: Engine, requests: Sequence[CompletionRequest]) -> list[Answer]:
    """Return an answer per request, in order; only EngineUnavailable is raised.

    A refused request is taken out and the others are asked again: its neighbors must not suffer.
    """
    answers: dict[int, Answer] = {}
    waiting = list(range(len(requests)))
    while waiting:
        try:
            done = engine.complete([requests[index] for index in waiting])
        except EngineRefused as error:
            answers[waiting.pop(error.index)] = error
        else:
            answers.update(zip(waiting, done, strict=True))
            break
    return [answers[index] for index in range(len(requests))]


def by_prompt(samples: Iterable[tuple[Prompt, int]]) -> dict[Prompt, tuple[int, ...]]:
    """Return the distinct seeds of each prompt, both in order of first appearance."""
    seeds: dict[Prompt, dict[int, None]] = {}
    for prompt, seed in samples:
        seeds.setdefault(prompt, {})[seed] = None
    return {prompt: tuple(found) for prompt, found in seeds.items()}


def written(prompt: Prompt) -> str:
    """Return the text that a completion follows: what its seed depends on."""
    return prompt if isinstance(prompt, str) else prompt[-1].content
