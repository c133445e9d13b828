"""Group a stream of results into transactions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

STORE_EVERY = 32
"""Results stored in one transaction: what a killed worker may have to do again."""


def in_batches(items: Iterable[T], size: int = STORE_EVERY) -> Iterator[list[T]]:
    """Yield lists of up to `size` items as they come."""
    stream = iter(items)
    while batch := list(islice(stream, size)):
        yield batch
