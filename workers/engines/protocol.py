"""What every engine does: complete prompts, one sample at a time, many at once.

An engine is fed while it works: `submit` adds samples, `finished` returns those that are done. No
sample waits for another one, and each has its own seed, so that waves, retries and the sharing of
equal samples are pure scheduling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from labeling.domain.prompts import Message, Prompt

__all__ = [
    "Answer",
    "Completion",
    "Engine",
    "EngineError",
    "EngineRefused",
    "EngineUnavailable",
    "Message",
    "Prompt",
    "Sample",
    "complete",
]

FinishReason = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One completion to draw. Equal samples are one draw: the same text where seeds are honored.

    Temperature 0 is greedy. The text ends before any of `stop`, at the model's end token, or after
    `max_tokens` tokens. `group` names what shares the prompt's beginning (the problem): an engine
    of several servers sends a group where its prefix is cached; it changes no text.
    """

    prompt: Prompt
    seed: int
    max_tokens: int
    temperature: float
    stop: tuple[str, ...] = ()
    group: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """One sample's text. `prompt_tokens` counts the whole prompt, whatever a cache saved."""

    text: str
    finish_reason: FinishReason
    prompt_tokens: int
    completion_tokens: int


class EngineError(Exception):
    """An engine gave no completion."""


class EngineUnavailable(EngineError):
    """The engine is dead, unreachable, overloaded, too slow or set up wrongly: try again later.

    `retry` is false where trying at once is of no use; `wait` is the pause that the engine itself
    asked for, in seconds.
    """

    def __init__(self, message: str, *, retry: bool = True, wait: float | None = None) -> None:
        super().__init__(message)
        self.retry, self.wait = retry, wait


class EngineRefused(EngineError):
    """The engine will never answer this sample, for example because it is too long."""


Answer = Completion | EngineRefused
"""What became of one sample."""


class Engine(Protocol):
    """A model that completes prompts for one caller at a time.

    `slots` is how many samples in flight keep it busy, those that wait inside it included.
    """

    name: str
    slots: int

    def submit(self, samples: Sequence[Sample]) -> None:
        """Add samples, none of which is in flight already. Return at once."""
        ...

    def finished(self, wait: float) -> list[tuple[Sample, Answer]]:
        """Return samples that are done, each once, in any order.

        Block up to `wait` seconds while there are none; an empty list says that nothing finished.
        Raise EngineUnavailable where the samples in flight may succeed later: all are then given
        up, as after `cancel`.
        """
        ...

    def cancel(self) -> None:
        """Give up all samples in flight; `finished` returns none of them."""
        ...

    def close(self) -> None:
        """Release memory and connections; the engine is of no use afterwards."""
        ...


def complete(engine: Engine, samples: Sequence[Sample], wait: float = 1.0) -> list[Answer]:
    """Submit the samples at once and return their answers in order; raise EngineUnavailable."""
    answers: dict[Sample, Answer] = {}
    distinct = set(samples)
    engine.submit(list(dict.fromkeys(samples)))
    while len(answers) < len(distinct):
        answers.update(engine.finished(wait))
    return [answers[sample] for sample in samples]
