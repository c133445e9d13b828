"""An engine's thread: what goes in comes out once, and nothing of what was given up."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from workers.engines.feeding import Answered, Feed
from workers.engines.protocol import Completion, EngineUnavailable, Sample, complete

DONE = Completion("", "stop", 1, 1)


def sample(seed: int) -> Sample:
    return Sample("", seed, 1, 1.0)


@dataclass
class OneByOne:
    """Answers one sample a step, once it may."""

    inside: list[Sample] = field(default_factory=list)
    may: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(1_000))
    errors: list[Exception] = field(default_factory=list)
    dropped: list[Sample] = field(default_factory=list)
    stepping: threading.Event = field(default_factory=threading.Event)
    closed: bool = False

    def add(self, samples: Sequence[Sample]) -> None:
        self.inside += samples

    def step(self) -> list[Answered]:
        self.stepping.set()
        assert self.may.acquire(timeout=10)
        if self.errors:
            raise self.errors.pop()
        return [(self.inside.pop(0), DONE)]

    def drop(self) -> None:
        self.dropped += self.inside
        self.inside.clear()

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def stepper() -> OneByOne:
    return OneByOne()


@pytest.fixture
def held() -> OneByOne:
    """A stepper whose steps wait until they may go on."""
    return OneByOne(may=threading.Semaphore(0))


def feed(stepper: OneByOne) -> Feed:
    return Feed("fed", 8, stepper)


def wait_for_the_end(engine: Feed) -> None:
    deadline = time.monotonic() + 10
    while engine._thread is not None:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_every_sample_comes_out_once_and_the_thread_ends_with_the_work(stepper: OneByOne) -> None:
    engine = feed(stepper)
    for asked in ([sample(1), sample(2)], [sample(3)]):
        assert complete(engine, asked) == [DONE] * len(asked)
        wait_for_the_end(engine)
    assert engine.finished(0) == []


def test_nothing_comes_out_before_it_is_done(held: OneByOne) -> None:
    engine = feed(held)
    engine.submit([sample(1)])
    assert engine.finished(0.01) == []
    held.may.release()
    assert engine.finished(10) == [(sample(1), DONE)]


def test_what_was_given_up_never_comes_out(held: OneByOne) -> None:
    engine = feed(held)
    engine.submit([sample(1), sample(2)])
    assert held.stepping.wait(10)
    engine.cancel()
    engine.submit([sample(2), sample(3)])
    held.may.release(3)
    got = engine.finished(10)
    while len(got) < 2:
        got += engine.finished(10)
    assert got == [(sample(2), DONE), (sample(3), DONE)]
    assert engine.finished(0) == []


def test_what_was_done_before_an_error_comes_out_before_it(held: OneByOne) -> None:
    engine = feed(held)
    engine.submit([sample(1), sample(2)])
    held.may.release()
    while len(held.inside) != 1:
        time.sleep(0.001)
    held.errors.append(ValueError("broken"))
    held.may.release()
    wait_for_the_end(engine)
    assert engine.finished(0) == [(sample(1), DONE)]
    with pytest.raises(EngineUnavailable, match=r"fed: ValueError.*broken") as failure:
        engine.finished(0)
    assert isinstance(failure.value.__cause__, ValueError)
    assert engine.finished(0) == []


def test_after_an_error_the_rest_is_dropped_and_new_samples_are_answered(
    stepper: OneByOne,
) -> None:
    engine, error = feed(stepper), EngineUnavailable("no memory", retry=False)
    stepper.errors.append(error)
    with pytest.raises(EngineUnavailable) as failure:
        complete(engine, [sample(1), sample(2)])
    assert failure.value is error
    assert complete(engine, [sample(2)]) == [DONE]
    assert stepper.dropped == [sample(1), sample(2)]


def test_an_error_in_what_was_given_up_is_not_told(held: OneByOne) -> None:
    engine = feed(held)
    engine.submit([sample(1)])
    assert held.stepping.wait(10)
    engine.cancel()
    held.errors.append(ValueError("broken"))
    held.may.release()
    wait_for_the_end(engine)
    assert engine.finished(0) == []


def test_closing_ends_the_step_first(held: OneByOne) -> None:
    engine = feed(held)
    engine.submit([sample(1)])
    threading.Timer(0.05, held.may.release).start()
    engine.close()
    assert engine._thread is None
    assert held.closed
    assert held.dropped == []
