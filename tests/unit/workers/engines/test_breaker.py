"""When a server is asked, and how much at once."""

from __future__ import annotations

import pytest

from workers.engines.breaker import Breaker
from workers.engines.protocol import EngineUnavailable
from workers.engines.retrying import Retrying

DOWN = EngineUnavailable("down")
WRONG_KEY = EngineUnavailable("wrong key", retry=False)


@pytest.fixture
def breaker() -> Breaker:
    return Breaker(8, Retrying(attempts=3, first=4, longest=16))


def fail(breaker: Breaker, now: float, times: int = 1, error: EngineUnavailable = DOWN) -> None:
    for _ in range(times):
        breaker.failed(now, error, probe=False, overload=False)


def opened(breaker: Breaker) -> None:
    for _ in range(5):
        assert not breaker.begin()
    fail(breaker, 100.0, 3)


def test_single_failures_change_nothing(breaker: Breaker) -> None:
    for _ in range(10):
        fail(breaker, 0.0, 2)
        breaker.succeeded(probe=False)
    assert breaker.room(0.0, under_way=3) == 5
    assert breaker.error is None


def test_failures_in_a_row_open_it_for_a_pause(breaker: Breaker) -> None:
    opened(breaker)
    assert breaker.room(101.9, 0) == 0  # at least half of 4 s
    assert breaker.room(104.0, 0) == 1
    assert breaker.failing_since == 100.0


def test_one_probe_decides_and_pauses_grow(breaker: Breaker) -> None:
    opened(breaker)
    now = 100.0
    for least, most in ((4, 8), (8, 16), (8, 16)):  # after the first pause of 2..4 s
        now = breaker.next_try
        assert breaker.begin()
        assert breaker.room(now, under_way=1) == 0
        breaker.failed(now, DOWN, probe=True, overload=False)
        assert now + least <= breaker.next_try <= now + most
    now = breaker.next_try
    assert breaker.begin()
    breaker.succeeded(probe=True)
    assert breaker.room(now, under_way=1) == 7
    assert breaker.failing_since is None
    assert not breaker.begin()


def test_what_was_under_way_when_it_opened_changes_nothing(breaker: Breaker) -> None:
    opened(breaker)
    pause = breaker.next_try
    fail(breaker, 101.0, 2)
    assert breaker.next_try == pause
    breaker.succeeded(probe=False)
    assert breaker.room(101.5, 0) == 0
    assert breaker.room(pause, 0) == 1


def test_a_withdrawn_probe_lets_another_one_pass(breaker: Breaker) -> None:
    opened(breaker)
    breaker.begin()
    assert breaker.room(110, 1) == 0
    breaker.withdrawn(probe=True)
    assert breaker.room(110, 0) == 1


def test_a_hopeless_failure_opens_at_once(breaker: Breaker) -> None:
    fail(breaker, 0.0, error=WRONG_KEY)
    assert breaker.hopeless
    assert breaker.room(1.0, 0) == 0
    # A key may be mended: it is asked again later.
    assert breaker.room(4.0, 0) == 1
    breaker.begin()
    breaker.succeeded(probe=True)
    assert not breaker.hopeless


def test_a_pause_that_was_asked_for_is_kept(breaker: Breaker) -> None:
    fail(breaker, 0.0, error=EngineUnavailable("starting", wait=30))
    assert breaker.room(29.9, 0) == 0
    assert breaker.room(30.0, 0) == 1


def test_an_overloaded_server_rests_and_then_gets_less(breaker: Breaker) -> None:
    for _ in range(3):  # together: they count once
        breaker.failed(0.0, EngineUnavailable("429", wait=5), probe=False, overload=True)
    assert breaker.room(4.9, 0) == 0
    assert breaker.room(5.0, 0) == 6  # 8 · 0.75
    breaker.failed(4.0, EngineUnavailable("429", wait=3), probe=False, overload=True)
    assert breaker.room(6.9, 0) == 0
    assert breaker.room(7.0, under_way=6) == 0


def test_answers_give_an_overloaded_server_its_share_back(breaker: Breaker) -> None:
    for now in range(0, 1_000, 100):
        breaker.failed(now, EngineUnavailable("429"), probe=False, overload=True)
    assert breaker.room(2_000, 0) == 1
    for _ in range(32):  # its square grows by 2 · 0.25 each: 1 + 16 = 17
        breaker.succeeded(probe=False)
    assert breaker.room(2_000, 0) == 4
    for _ in range(200):
        breaker.succeeded(probe=False)
    assert breaker.room(2_000, 0) == 8


def test_it_can_forget_what_was(breaker: Breaker) -> None:
    opened(breaker)
    breaker.forget()
    assert breaker.error is None
    assert breaker.failing_since is None
    assert breaker.room(100.0, 0) == 1
