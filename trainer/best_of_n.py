"""Best-of-N: how good is the answer that a PRM picks among N sampled solutions?

Beside it the yardsticks that need no PRM: pass@1, pass@N and the majority vote.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

Scores = Sequence[float]
AGGREGATIONS: dict[str, Callable[[Scores], float]] = {
    "product": math.prod,
    "min": min,
    "last": lambda scores: scores[-1],
    "mean": fmean,
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One sampled solution: its final answer, whether it is right, and its steps' scores."""

    answer: str
    correct: bool
    scores: tuple[float, ...]


Group = Sequence[Candidate]


def pass_at_1(groups: Sequence[Group]) -> float:
    """Return the mean share of right candidates per problem."""
    return fmean(fmean(c.correct for c in group) for group in groups)


def pass_at_n(groups: Sequence[Group]) -> float:
    """Return the share of problems with any right candidate: the ceiling."""
    return fmean(any(c.correct for c in group) for group in groups)


def majority(groups: Sequence[Group]) -> float:
    """Return the accuracy of the most frequent answer; the first seen wins a tie."""
    return fmean(_vote(group, lambda _: 1.0) for group in groups)


def best_of_n(groups: Sequence[Group], aggregation: str = "product") -> float:
    """Return the accuracy of the best-scored candidate; the lowest index wins a tie."""
    value = AGGREGATIONS[aggregation]
    return fmean(max(group, key=lambda c: value(c.scores)).correct for group in groups)


def weighted_vote(groups: Sequence[Group], aggregation: str = "product") -> float:
    """Return the accuracy of the answer whose candidates' scores sum highest (2312.08935)."""
    value = AGGREGATIONS[aggregation]
    return fmean(_vote(group, lambda c: value(c.scores)) for group in groups)


def minimum_at_last_step(scores: Sequence[Scores]) -> float:
    """Return the share of solutions whose lowest score is the last step's (2501.07301, Fig. 8).

    Near an outcome model's share, a PRM judges answers rather than steps; a tie with an earlier
    step counts for the earlier one.
    """
    return fmean(min(range(len(s)), key=s.__getitem__) == len(s) - 1 for s in scores)


def _vote(group: Group, weight: Callable[[Candidate], float]) -> bool:
    votes: dict[str, float] = defaultdict(float)
    for candidate in group:
        votes[candidate.answer] += weight(candidate)
    answer = Counter(votes).most_common(1)[0][0]
    return next(c.correct for c in group if c.answer == answer)
