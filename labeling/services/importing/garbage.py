"""Python's search for circles of dead objects, which an import makes none of."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

OBJECTS = 100_000
"""New objects between two searches. A batch makes tens of thousands that live until it is stored:
by Python's own rule of 700 they are gone through again and again, a tenth of the import's time."""


@contextmanager
def rarely_sought() -> Iterator[None]:
    """Search less often within the block, in the whole process."""
    before = gc.get_threshold()
    gc.set_threshold(OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
