"""What two labelers said of the same things, as counts: the one input of pairwise statistics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from labeling.domain.labels import NO_ERROR
from labeling.domain.statistics.tables import Counts, Floats, Units

Cell: TypeAlias = tuple[int, int]
"""(What the first labeler said, what the second said)."""


class CountError(ValueError):
    """A count below zero."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often each cell occurred; cells without a count are left out.

    The categories are first errors (NO_ERROR or the index of a step) or step labels.
    """

    cells: Mapping[Cell, int]

    def __post_init__(self) -> None:
        if any(count < 0 for count in self.cells.values()):
            raise CountError(f"counts below zero: {dict(self.cells)}")
        kept = {cell: int(n) for cell, n in sorted(self.cells.items()) if n}
        object.__setattr__(self, "cells", kept)

    @classmethod
    def of(cls, pairs: Iterable[Cell]) -> Confusion:
        """Count pairs of what two labelers said."""
        return cls(Counter(pairs))

    @property
    def total(self) -> int:
        """How many things both labeled."""
        return sum(self.cells.values())

    @property
    def same(self) -> int:
        """How many both labeled alike."""
        return sum(n for (first, second), n in self.cells.items() if first == second)

    @property
    def categories(self) -> tuple[int, ...]:
        """What either said, in rising order."""
        return tuple(sorted({said for cell in self.cells for said in cell}))

    def recoded(self, code: Callable[[int], int]) -> Confusion:
        """Return the table of coded categories, for example `has_error`."""
        coded: Counter[Cell] = Counter()
        for (first, second), n in self.cells.items():
            coded[code(first), code(second)] += n
        return Confusion(coded)

    def units(self) -> Units:
        """Return the cells as units: each labeled thing was drawn by itself."""
        index = {said: place for place, said in enumerate(self.categories)}
        places = [index[a] * len(index) + index[b] for a, b in self.cells]
        return Units(
            size=len(index),
            counts=np.array(list(self.cells.values()), dtype=np.int64),
            cells=np.array(places, dtype=np.int64),
        )


def has_error(first_error: int) -> int:
    """Code a first error as 0, none, or 1, some."""
    return int(first_error != NO_ERROR)


def no_error_rank(first_errors: Confusion) -> int:
    """Return the rank of "no error" by `none_last`: after every step that either names."""
    return max(first_errors.categories, default=NO_ERROR) + 1


def none_last(first_errors: Confusion) -> Confusion:
    """Code "no error" as an error after every step that either names.

    As −1 it would stand beside the first step, though a solution without an error is furthest
    from one that is wrong from the start. For statistics of rank; as a distance it means nothing.
    """
    after = no_error_rank(first_errors)
    return first_errors.recoded(lambda said: after if said == NO_ERROR else said)


StepPattern: TypeAlias = tuple[tuple[int, int, int], ...]
"""One solution's steps that both judged: (first's label, second's label, steps), sorted."""


def step_pattern(first: Sequence[int | None], second: Sequence[int | None]) -> StepPattern:
    """Count how two labelers' step labels of one solution meet, over the steps that both judged.

    The steps after either one's first error usually drop out: they were not judged.
    """
    met = Counter(
        (a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None
    )
    return tuple(sorted((a, b, n) for (a, b), n in met.items()))


@dataclass(frozen=True, slots=True)
class StepConfusion:
    """How many solutions show each pattern of steps.

    A table of steps alone would not do: the steps of one solution are not independent, so
    resampling draws whole solutions, and equal patterns make that cheap.
    """

    patterns: Mapping[StepPattern, int]

    @property
    def solutions(self) -> int:
        """How many solutions have a step that both judged."""
        return sum(n for pattern, n in self.patterns.items() if pattern)

    def table(self) -> Confusion:
        """Return the table of steps."""
        cells: Counter[Cell] = Counter()
        for pattern, solutions in self.patterns.items():
            for a, b, steps in pattern:
                cells[a, b] += steps * solutions
        return Confusion(cells)

    def units(self) -> Units:
        """Return the solutions as units."""
        kinds = {pattern: n for pattern, n in sorted(self.patterns.items()) if pattern and n}
        index = {said: place for place, said in enumerate(self.table().categories)}
        values = np.zeros((len(kinds), len(index), len(index)))
        for kind, pattern in enumerate(kinds):
            for a, b, steps in pattern:
                values[kind, index[a], index[b]] += steps
        return weighted(list(kinds.values()), values)


def weighted(counts: Sequence[int], values: Floats) -> Units:
    """Return units of several cells each: values (kinds, size, size)."""
    size = values.shape[1]
    flat = values.reshape(len(counts), size * size)
    cells: Counts = np.flatnonzero(flat.any(axis=0)).astype(np.int64)
    return Units(size, np.array(counts, dtype=np.int64), cells, flat[:, cells])
