"""Confidence intervals of shares in closed form (Wilson's score), and the data they need."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from statistics import NormalDist
from typing import TypeAlias

from labeling.domain.statistics.undefined import Statistic, Undefined, share

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """The ends of a confidence interval."""

    low: float
    high: float

    @property
    def width(self) -> float:
        """Distance of the ends."""
        return self.high - self.low


MaybeInterval: TypeAlias = Interval | Undefined


def quantile(confidence: float) -> float:
    """Return z, the two-sided quantile of the normal distribution: 1.96 for 0.95."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def wilson(successes: float, trials: float, confidence: float = CONFIDENCE) -> MaybeInterval:
    """Return Wilson's score interval of a share.

    (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n), with p = successes / n (E. B. Wilson 1927,
    doi 10.1080/01621459.1927.10502953). It stays within 0..1 and keeps a width where p is 0 or 1.
    `trials` may be an effective number, so neither need be whole.
    """
    if trials <= 0:
        return Undefined.NOTHING_COMPARED
    z2 = quantile(confidence) ** 2
    p = successes / trials
    center = (p + z2 / (2 * trials)) / (1 + z2 / trials)
    spread = sqrt(z2 * (p * (1 - p) / trials + z2 / (4 * trials**2))) / (1 + z2 / trials)
    # the ends are exact where p is 0 or 1; rounding must not put them beside the share
    return Interval(min(p, max(0.0, center - spread)), max(p, min(1.0, center + spread)))


def trials_for(width: float, p: float, confidence: float = CONFIDENCE) -> int:
    """Return the fewest trials at which Wilson's interval of a share p is at most so wide.

    Solves w² (n + z²)² = 4 z² (n p(1−p) + z²/4) for n; the width falls with n throughout.
    """
    if not 0 < width < 1:
        raise ValueError(f"a width must lie between 0 and 1, not {width}")
    z2 = quantile(confidence) ** 2
    spread = p * (1 - p)
    root = sqrt(z2**2 * spread**2 + width**2 * z2**2 * (1 - 4 * spread) / 4)
    # The root can land a hair above a whole number that does; one millionth never matters here.
    return max(1, ceil(2 * (z2 * spread + root) / width**2 - z2 - 1e-6))


@dataclass(frozen=True, slots=True)
class Proportion:
    """A part of a whole, both counted."""

    part: int
    whole: int

    @property
    def value(self) -> Statistic:
        """The share."""
        return share(self.part, self.whole)

    @property
    def interval(self) -> MaybeInterval:
        """Wilson's interval of the share."""
        return wilson(self.part, self.whole)

    def further(self, width: float, confidence: float = CONFIDENCE) -> int:
        """Return how many further trials bring the interval to a width, if the share stays.

        The share planned with is (part + z²/2) / (whole + z²), the center of Wilson's interval:
        without data one half, and a spotless start does not promise too much.
        """
        z2 = quantile(confidence) ** 2
        planned = (self.part + z2 / 2) / (self.whole + z2)
        return max(0, trials_for(width, planned, confidence) - self.whole)
