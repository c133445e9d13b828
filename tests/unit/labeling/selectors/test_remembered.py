"""What took long is kept for a while, and computed anew behind the reader's back."""

from __future__ import annotations

import threading

import pytest

from labeling.selectors.remembered import FRESH, LATEST, SLOW, Remembered


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def kept(clock):
    return Remembered(clock)


def taking(clock, seconds, values):
    """Return a computation of the next value that takes so long."""
    left = iter(values)

    def compute():
        clock.now += seconds
        return next(left)

    return compute


def joined():
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and thread.daemon:
            thread.join(1)


def test_what_is_quick_is_never_kept(kept, clock):
    compute = taking(clock, SLOW / 2, [1, 2])
    assert [kept.get("a", compute), kept.get("a", compute)] == [1, 2]


def test_what_is_slow_is_kept_by_its_key(kept, clock):
    compute = taking(clock, SLOW, [1, 2])
    assert [kept.get("a", compute), kept.get("a", compute), kept.get("b", compute)] == [1, 1, 2]


def test_after_a_while_the_reader_gets_the_old_value_once_more(kept, clock, monkeypatch):
    monkeypatch.setattr("labeling.selectors.remembered.connection.close", lambda: None)
    compute = taking(clock, SLOW, [1, 2])
    kept.get("a", compute)
    clock.now += FRESH
    assert kept.get("a", compute) == 1
    joined()
    assert kept.get("a", compute) == 2


def test_nobody_is_shown_what_is_too_old(kept, clock):
    compute = taking(clock, SLOW, [1, 2])
    kept.get("a", compute)
    clock.now += LATEST
    assert kept.get("a", compute) == 2
