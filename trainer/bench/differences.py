"""How far two trained models are apart, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

DRAWS = 10_000


@dataclass(frozen=True, slots=True)
class Losses:
    """What a model loses on each held-out solution: summed over its labels, and how many these are.

    Losses of two models are paired: the same solutions in the same order.
    """

    sums: Sequence[float]
    labels: Sequence[int]

    @property
    def mean(self) -> float:
        """The mean over all labels."""
        return sum(self.sums) / sum(self.labels)


def difference(ours: Losses, theirs: Losses, seed: int = 0, draws: int = DRAWS) -> dict[str, float]:
    """Return the difference of the mean losses, with its 95 % interval.

    Paired bootstrap: solutions are drawn, each with its labels and with what both models lose on
    them.
    """
    gaps = np.subtract(ours.sums, theirs.sums)
    labels = np.asarray(ours.labels)
    chosen = np.random.default_rng(seed).integers(len(gaps), size=(draws, len(gaps)))
    means = gaps[chosen].sum(axis=1) / labels[chosen].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return {"mean": ours.mean - theirs.mean, "low": float(low), "high": float(high)}


def farthest(ours: Sequence[float], theirs: Mapping[str, float]) -> float | None:
    """Return how far apart the losses of training are at most, over the same batches.

    `theirs` maps the number of a step to the mean loss since the one before it; None: to none.
    """
    ends = sorted(map(int, theirs))
    gaps = (
        abs(fmean(ours[begin:end]) - theirs[str(end)])
        for begin, end in zip([0, *ends], ends, strict=False)
    )
    return max(gaps, default=None)
