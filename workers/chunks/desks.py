"""What a kind of run does around its talks: read the items, store what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from labeling.models import User
from workers.labeling.flow import Talk

R = TypeVar("R")


class Desk(Protocol[R]):
    """Work on one run's items, in the database and in talks with the run's engine."""

    def talks(self, items: Sequence[int]) -> Sequence[Talk[R]]:
        """Return a talk per item that (still) exists."""
        ...

    def store(self, results: Sequence[R], by: User) -> list[int]:
        """Store results in one transaction; return the items that they are about."""
        ...
