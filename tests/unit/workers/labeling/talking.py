"""Hold talks with a scripted engine to their end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from tests.engines import ScriptedEngine
from workers.labeling.flow import Talk, converse

R = TypeVar("R")


def held(engine: ScriptedEngine, talks: Iterable[Talk[R]]) -> list[R]:
    """Return the results of the talks, in the order in which they end."""
    waiting = list(talks)

    def pull(room: int) -> list[Talk[R]]:
        some, waiting[:] = waiting[:room], waiting[room:]
        return some

    return [result for results in converse(engine, pull) for result in results]
