"""A scripted engine for what stands on engines; engine_contract.py holds it to the real ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from workers.engines.protocol import Answer, Completion, EngineRefused, Prompt, Sample

Script = Callable[[str, int], str]
"""From a prompt's text (a chat's last message) and a seed to what the model would write."""


def text_of(prompt: Prompt) -> str:
    return prompt if isinstance(prompt, str) else prompt[-1].content


@dataclass
class ScriptedEngine:
    """Writes what its script says, one token per character, `batch` samples at a time.

    `asked` holds every sample that was submitted, in order; `busiest` is the most in flight.
    """

    script: Script
    context: int = 100_000
    name: str = "scripted"
    slots: int = 64
    batch: int = 16
    asked: list[Sample] = field(default_factory=list)
    busiest: int = 0
    _pool: list[Sample] = field(default_factory=list)

    def submit(self, samples: Sequence[Sample]) -> None:
        assert set(samples).isdisjoint(self._pool), "a sample is in flight already"
        assert len(set(samples)) == len(samples), "a sample is submitted twice"
        self.asked += samples
        self._pool += samples
        self.busiest = max(self.busiest, len(self._pool))

    def finished(self, wait: float) -> list[tuple[Sample, Answer]]:
        done, self._pool = self._pool[: self.batch], self._pool[self.batch :]
        return [(sample, self.answer(sample)) for sample in done]

    def cancel(self) -> None:
        self._pool.clear()

    def close(self) -> None:
        self.cancel()

    @property
    def samples(self) -> list[tuple[str, int]]:
        """Every sample that was asked for, in order."""
        return [(text_of(sample.prompt), sample.seed) for sample in self.asked]

    def answer(self, sample: Sample) -> Answer:
        prompt = text_of(sample.prompt)
        if len(prompt) + sample.max_tokens > self.context:
            return EngineRefused("too long")
        full = self.script(prompt, sample.seed if sample.temperature > 0 else 0)
        text = full[: sample.max_tokens]
        cuts = [at for stop in sample.stop if (at := text.find(stop)) >= 0]
        stopped = bool(cuts) or len(full) < sample.max_tokens
        return Completion(
            text=text[: min(cuts, default=len(text))],
            finish_reason="stop" if stopped else "length",
            prompt_tokens=len(prompt),
            completion_tokens=len(text),
        )
