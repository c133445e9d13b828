"""What any number of labelers said of the same items, as counts of equal multisets of ratings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

import numpy as np

from labeling.domain.statistics.confusion import Cell, Confusion, weighted
from labeling.domain.statistics.tables import Units

Profile: TypeAlias = tuple[int, ...]
"""The ratings of one item, sorted: who gave which does not matter."""


@dataclass(frozen=True, slots=True)
class Ratings:
    """How many items got each profile. A new rating moves one item to another profile."""

    profiles: Mapping[Profile, int]

    def __post_init__(self) -> None:
        merged: Counter[Profile] = Counter()
        for profile, items in self.profiles.items():
            merged[tuple(sorted(profile))] += items
        kept = {profile: n for profile, n in sorted(merged.items()) if n and profile}
        object.__setattr__(self, "profiles", kept)

    @classmethod
    def of(cls, items: Iterable[Iterable[int | None]]) -> Ratings:
        """Count items by their ratings; None is a missing one."""
        return cls(Counter(tuple(sorted(r for r in item if r is not None)) for item in items))

    @property
    def paired(self) -> dict[Profile, int]:
        """The profiles of two ratings or more: only these can agree or not."""
        return {profile: n for profile, n in self.profiles.items() if len(profile) > 1}

    @property
    def unpaired_items(self) -> int:
        """Items with a single rating, which no statistic of agreement counts."""
        return sum(n for profile, n in self.profiles.items() if len(profile) == 1)

    @property
    def raters(self) -> frozenset[int]:
        """The numbers of ratings that items with two or more have."""
        return frozenset(len(profile) for profile in self.paired)

    @property
    def categories(self) -> tuple[int, ...]:
        """What was said where two or more rated, in rising order."""
        return tuple(sorted({rating for profile in self.paired for rating in profile}))

    def with_raters(self, number: int) -> Ratings:
        """Return the items with exactly so many ratings."""
        return Ratings({p: n for p, n in self.profiles.items() if len(p) == number})

    def pairs(self) -> Confusion:
        """Count every pair of ratings of an item, the smaller rating first."""
        cells: Counter[Cell] = Counter()
        for profile, items in self.paired.items():
            for pair in combinations(profile, 2):
                cells[pair] += items
        return Confusion(cells)

    def units(self) -> Units:
        """Return the items as units.

        An item of m ratings adds 1 / (m − 1) for each of its pairs, so that each of its ratings
        weighs the same: with its mirror the table is Krippendorff's matrix of coincidences.
        """
        return self._units(lambda ratings: 1 / (ratings - 1))

    def pair_units(self) -> Units:
        """Return the items as units that add 1 for each of their pairs."""
        return self._units(lambda _ratings: 1.0)

    def _units(self, weight: Callable[[int], float]) -> Units:
        index = {said: place for place, said in enumerate(self.categories)}
        values = np.zeros((len(self.paired), len(index), len(index)))
        for kind, profile in enumerate(self.paired):
            for a, b in combinations(profile, 2):
                values[kind, index[a], index[b]] += weight(len(profile))
        return weighted(list(self.paired.values()), values)
