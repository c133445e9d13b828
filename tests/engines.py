"""A scripted engine for what stands on engines; engine_contract.py holds it to the real ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from workers.engines.protocol import Completion, CompletionRequest, EngineRefused, Prompt

Script = Callable[[str, int], str]
"""From a prompt's text (a chat's last message) and a seed to what the model would write."""


def text_of(prompt: Prompt) -> str:
    return prompt if isinstance(prompt, str) else prompt[-1].content


@dataclass
class ScriptedEngine:
    """Writes what its script says, one token per character."""

    script: Script
    context: int = 100_000
    name: str = "scripted"
    calls: list[list[CompletionRequest]] = field(default_factory=list)

    def complete(self, requests: Sequence[CompletionRequest]) -> list[list[Completion]]:
        self.calls.append(list(requests))
        for index, request in enumerate(requests):
            if len(text_of(request.prompt)) + request.max_tokens > self.context:
                raise EngineRefused("too long", index)
        return [[self._sample(request, seed) for seed in request.seeds] for request in requests]

    def close(self) -> None:
        self.calls.clear()

    @property
    def samples(self) -> list[tuple[str, int]]:
        """Every sample that was asked for, in order."""
        return [
            (text_of(request.prompt), seed)
            for call in self.calls
            for request in call
            for seed in request.seeds
        ]

    def _sample(self, request: CompletionRequest, seed: int) -> Completion:
        prompt = text_of(request.prompt)
        full = self.script(prompt, seed if request.temperature > 0 else 0)
        text = full[: request.max_tokens]
        cuts = [at for stop in request.stop if (at := text.find(stop)) >= 0]
        stopped = bool(cuts) or len(full) < request.max_tokens
        return Completion(
            text=text[: min(cuts, default=len(text))],
            finish_reason="stop" if stopped else "length",
            prompt_tokens=len(prompt),
            completion_tokens=len(text),
        )
