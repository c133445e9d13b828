"""Passing failures are tried again, the others are not."""

from __future__ import annotations

import pytest

from workers.engines.protocol import EngineRefused, EngineUnavailable
from workers.engines.retrying import Retrying


class Flaky:
    """Fails with the given errors, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)

    def __call__(self) -> str:
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


def test_waits_double_with_jitter_up_to_the_longest() -> None:
    waits: list[float] = []
    flaky = Flaky(*[EngineUnavailable("busy")] * 4)
    assert Retrying(attempts=5, first=1, longest=3, sleep=waits.append).run(flaky) == "answer"
    for wait, full in zip(waits, (1, 2, 3, 3), strict=True):
        assert full / 2 <= wait <= full


def test_the_servers_own_wish_counts_within_bounds() -> None:
    waits: list[float] = []
    flaky = Flaky(EngineUnavailable("429", wait=7), EngineUnavailable("429", wait=9_000))
    Retrying(longest=20, sleep=waits.append).run(flaky)
    assert waits == [7, 20]


def test_the_last_failure_is_raised() -> None:
    flaky = Flaky(EngineUnavailable("first"), EngineUnavailable("second"))
    with pytest.raises(EngineUnavailable, match="second"):
        Retrying(attempts=2, sleep=lambda _: None).run(flaky)


@pytest.mark.parametrize(
    "error", [EngineRefused("bad request"), EngineUnavailable("wrong key", retry=False)]
)
def test_hopeless_failures_are_not_tried_again(error: Exception) -> None:
    flaky = Flaky(error)
    with pytest.raises(type(error)):
        Retrying(sleep=lambda _: pytest.fail("waited")).run(flaky)
