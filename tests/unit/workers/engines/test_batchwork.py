from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from workers.engines.batchwork import BatchWork

A, B = range(0, 2), range(2, 3)


def test_results_come_in_the_order_of_the_indices() -> None:
    work: BatchWork[str] = BatchWork([A, B], hands=1)
    assert (work.take(), work.take()) == (A, B)
    work.settle(B, ["c"])
    work.settle(A, ["a", "b"])
    assert work.take() is None
    assert work.results() == ["a", "b", "c"]


def test_nothing_to_do_is_over_at_once() -> None:
    work: BatchWork[str] = BatchWork([], hands=1)
    assert work.take() is None
    assert work.results() == []


def test_an_idle_hand_waits_for_what_another_may_put_back() -> None:
    work: BatchWork[str] = BatchWork([A], hands=2)
    work.take()
    with ThreadPoolExecutor(1) as pool:
        idle = pool.submit(work.take)
        time.sleep(0.05)
        assert not idle.done()
        work.put_back(A)
        assert idle.result(5) == A
        work.settle(A, ["a", "b"])
    assert work.results() == ["a", "b"]


def test_the_halves_of_a_batch_replace_it() -> None:
    work: BatchWork[str] = BatchWork([A], hands=1)
    work.take()
    work.put_back(range(0, 1), range(1, 2))
    for _ in range(2):
        half = work.take()
        assert half is not None
        work.settle(half, [str(half.start)])
    assert work.take() is None
    assert work.results() == ["0", "1"]


def test_work_fails_when_the_last_hand_leaves_and_not_before() -> None:
    work: BatchWork[str] = BatchWork([A], hands=2)
    work.leave(ValueError("first"))
    assert work.take() == A
    work.put_back(A)
    work.leave(ValueError("second"))
    assert work.take() is None
    with pytest.raises(ValueError, match="second"):
        work.results()


def test_the_first_failure_counts_and_wakes_everybody() -> None:
    work: BatchWork[str] = BatchWork([A], hands=3)
    work.take()
    with ThreadPoolExecutor(3) as pool:
        began = threading.Barrier(4)

        def waiting(wait) -> object:
            began.wait()
            return wait()

        idle = pool.submit(waiting, work.take)
        resting = pool.submit(waiting, lambda: work.pause(60))
        caller = pool.submit(waiting, work.results)
        began.wait()
        work.fail(ValueError("one"))
        work.fail(ValueError("two"))
        assert idle.result(5) is None
        resting.result(5)
        with pytest.raises(ValueError, match="one"):
            caller.result(5)
