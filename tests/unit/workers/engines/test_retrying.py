"""How long is waited before another try."""

from __future__ import annotations

import pytest

from workers.engines.retrying import Retrying


def test_waits_double_with_jitter_up_to_the_longest() -> None:
    retrying = Retrying(first=1, longest=3)
    for attempt, full in ((1, 1), (2, 2), (3, 3), (4, 3), (5_000, 3)):
        waits = {retrying.wait(attempt) for _ in range(50)}
        assert len(waits) > 1
        assert all(full / 2 <= wait <= full for wait in waits)


@pytest.mark.parametrize(("wish", "wait"), [(0, 0), (7, 7), (9_000, 60)])
def test_the_servers_own_wish_counts_within_bounds(wish: float, wait: float) -> None:
    assert Retrying(longest=3, longest_wish=60).wait(4, wish) == wait
