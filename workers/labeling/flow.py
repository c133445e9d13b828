"""Hold many talks with one engine at once: no talk waits for another, equal samples are one draw.

A talk is a generator: it yields the samples that it needs next, is sent what became of them, and
returns its result. Knows no Django and nothing of what is said.
"""

from __future__ import annotations

import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from workers.engines.protocol import (
    Answer,
    Completion,
    Engine,
    EngineUnavailable,
    Sample,
)

R = TypeVar("R")

MEMORY = 32_000_000
"""Characters of answers that are remembered for talks to come."""

PATIENCE = 1_800.0
"""Seconds without any answer after which an engine with work is given up."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What became of a sample; not `fresh` where another talk asked for it first, and pays."""

    answer: Answer
    fresh: bool


Talk = Generator[Sequence[Sample], Sequence[Drawn], R]
Pull = Callable[[int], Sequence[Talk[R]]]
"""Return about as many new talks as asked for; none = none at the moment."""


def converse(
    engine: Engine,
    pull: Pull[R],
    *,
    wait: float = 1.0,
    patience: float = PATIENCE,
) -> Iterator[list[R]]:
    """Yield results as talks end, at least every `wait` seconds or so (then maybe none).

    New talks are pulled whenever fewer than `engine.slots` samples are in flight; it is over once
    no talk is open and none can be pulled. Raise EngineUnavailable; what was yielded stands.
    """
    flow: _Flow[R] = _Flow(engine)
    last = time.monotonic()
    try:
        while True:
            results = flow.open_from(pull)
            if flow.in_flight:
                answers = engine.finished(wait)
                last = time.monotonic() if answers else last
                if time.monotonic() - last > patience:
                    raise EngineUnavailable(f"{engine.name}: no answer for {patience:.0f} s")
                results += flow.hear(answers)
            elif not results:
                return
            else:
                last = time.monotonic()
            yield results
    finally:
        if flow.in_flight:
            engine.cancel()


@dataclass(slots=True)
class _Open(Generic[R]):
    talk: Talk[R]
    wanted: Sequence[Sample] = ()
    drawn: dict[Sample, Drawn] = field(default_factory=dict)


class _Flow(Generic[R]):
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: defaultdict[Sample, list[_Open[R]]] = defaultdict(list)
        self._memory = _Memory()
        self._asked: list[Sample] = []
        self._width = engine.slots  # samples that a new talk begins with: one talk will tell

    @property
    def in_flight(self) -> int:
        """Samples that the engine works on."""
        return len(self._waiting)

    def open_from(self, pull: Pull[R]) -> list[R]:
        """Open talks until the engine is full or there are none; return what ended at once."""
        ended: list[R] = []
        while (room := self._engine.slots - self.in_flight) > 0:
            talks = pull(-(-room // self._width))
            if not talks:
                break
            before = self.in_flight
            for talk in talks:
                ended += self._go_on(_Open(talk), None)
            self._width = max(1, (self.in_flight - before) // len(talks))
        self._submit()
        return ended

    def hear(self, answers: Sequence[tuple[Sample, Answer]]) -> list[R]:
        """Pass answers on to the talks that wait for them; return what ended."""
        ended: list[R] = []
        for sample, answer in answers:
            self._memory.keep(sample, answer)
            for place, item in enumerate(self._waiting.pop(sample)):
                ended += self._answered(item, sample, Drawn(answer, fresh=place == 0))
        self._submit()
        return ended

    def _answered(self, item: _Open[R], sample: Sample, drawn: Drawn) -> list[R]:
        item.drawn[sample] = drawn
        if len(item.drawn) < len(set(item.wanted)):
            return []
        return self._go_on(item, [item.drawn[wanted] for wanted in item.wanted])

    def _go_on(self, item: _Open[R], drawn: Sequence[Drawn] | None) -> list[R]:
        """Let a talk speak until it has to wait; return its result, if it ended."""
        try:
            while True:
                item.wanted = next(item.talk) if drawn is None else item.talk.send(drawn)
                item.drawn = self._remembered(item.wanted)
                if len(item.drawn) < len(set(item.wanted)):
                    self._ask(item)
                    return []
                drawn = [item.drawn[sample] for sample in item.wanted]
        except StopIteration as end:
            return [end.value]

    def _remembered(self, wanted: Sequence[Sample]) -> dict[Sample, Drawn]:
        found = {}
        for sample in wanted:
            answer = self._memory.get(sample)
            if answer is not None:
                found[sample] = Drawn(answer, fresh=False)
        return found

    def _ask(self, item: _Open[R]) -> None:
        for sample in dict.fromkeys(item.wanted):
            if sample not in item.drawn:
                if sample not in self._waiting:
                    self._asked.append(sample)
                self._waiting[sample].append(item)

    def _submit(self) -> None:
        if self._asked:
            self._engine.submit(self._asked)
            self._asked = []


class _Memory:
    """The latest answers, up to MEMORY characters with their prompts."""

    def __init__(self) -> None:
        self._answers: OrderedDict[Sample, Answer] = OrderedDict()
        self._size = 0

    def get(self, sample: Sample) -> Answer | None:
        return self._answers.get(sample)

    def keep(self, sample: Sample, answer: Answer) -> None:
        self._answers[sample] = answer
        self._size += _size(sample, answer)
        while self._size > MEMORY:
            self._size -= _size(*self._answers.popitem(last=False))


def _size(sample: Sample, answer: Answer) -> int:
    prompt = sample.prompt
    read = len(prompt) if isinstance(prompt, str) else sum(len(m.content) for m in prompt)
    return read + (len(answer.text) if isinstance(answer, Completion) else 100)
