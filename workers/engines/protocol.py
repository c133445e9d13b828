"""What every engine does: complete prompts. One sample per seed, so that work can be shared out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from labeling.domain.prompts import Message, Prompt

__all__ = [
    "Completion",
    "CompletionRequest",
    "Engine",
    "EngineError",
    "EngineRefused",
    "EngineUnavailable",
    "Message",
    "Prompt",
]

FinishReason = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """One prompt and the seeds of its independent samples.

    Temperature 0 is greedy: the seeds then only say how often. A text ends before any of `stop`,
    at the model's end token, or after `max_tokens` tokens.
    """

    prompt: Prompt
    seeds: tuple[int, ...]
    max_tokens: int
    temperature: float
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Completion:
    """One sample. `prompt_tokens` counts the whole prompt, whatever a cache saved."""

    text: str
    finish_reason: FinishReason
    prompt_tokens: int
    completion_tokens: int


class Engine(Protocol):
    """A model that completes prompts. `complete` may be called from one thread at a time."""

    name: str

    def complete(self, requests: Sequence[CompletionRequest]) -> list[list[Completion]]:
        """Return one completion per seed of each request, in order.

        Raise EngineUnavailable where the same call may succeed later, EngineRefused where a
        request itself is at fault.
        """
        ...

    def close(self) -> None:
        """Release memory and connections; the engine is of no use afterwards."""
        ...


class EngineError(Exception):
    """An engine gave no completions."""


class EngineUnavailable(EngineError):
    """The engine is dead, unreachable, overloaded, too slow or set up wrongly: try again later.

    `retry` is false where trying at once is of no use; `wait` is the pause that the engine itself
    asked for, in seconds.
    """

    def __init__(self, message: str, *, retry: bool = True, wait: float | None = None) -> None:
        super().__init__(message)
        self.retry, self.wait = retry, wait


class EngineRefused(EngineError):
    """The engine will never answer this request; `index` is its place in the call."""

    def __init__(self, message: str, index: int = 0) -> None:
        super().__init__(message)
        self.index = index
