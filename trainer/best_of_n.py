"""Best-of-N: how good is the answer that a PRM picks among N sampled solutions?

Beside it the yardsticks that need no PRM: pass@1, pass@N and the majority vote.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from trainer.biases import minimum_at_last_step
from trainer.search import elect

Scores = Sequence[float]
AGGREGATIONS: dict[str, Callable[[Scores], float]] = {
    "product": math.prod,
    "min": min,
    "last": lambda scores: scores[-1],
    "mean": fmean,
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One sampled solution: its final answer, whether it is right, and its steps' scores.

    Without an answer ("") it has no vote; without scores it loses to every scored one.
    """

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


def pass_at_k(groups: Sequence[Group], k: int) -> float:
    """Return the chance that any of k candidates drawn from the N is right (arXiv 2107.03374)."""
    return fmean(
        1 - math.comb(len(g) - sum(c.correct for c in g), k) / math.comb(len(g), k) for g in groups
    )


def majority(groups: Sequence[Group]) -> float:
    """Return the accuracy of the most frequent answer; the first seen wins a tie."""
    return fmean(_vote(group, lambda _: 1.0) for group in groups)


def best_of_n(groups: Sequence[Group], aggregation: str = "product") -> float:
    """Return the accuracy of the best-scored candidate; the lowest index wins a tie."""
    return fmean(max(group, key=lambda c: value(c, aggregation)).correct for group in groups)


def best_of_k(groups: Sequence[Group], k: int, aggregation: str = "product") -> float:
    """Return the expected accuracy of the best of k candidates drawn from the N: exact, no draws.

    The candidate of rank i (from 0) is the best of C(N - 1 - i, k - 1) of the C(N, k) choices.
    """
    return fmean(_expected(group, k, aggregation) for group in groups)


def weighted_vote(groups: Sequence[Group], aggregation: str = "product") -> float:
    """Return the accuracy of the answer whose candidates' scores sum highest (2312.08935)."""
    return fmean(_vote(group, lambda c: max(0.0, value(c, aggregation))) for group in groups)


def value(candidate: Candidate, aggregation: str) -> float:
    """Return one number for a candidate's scores, -inf where it has none."""
    return AGGREGATIONS[aggregation](candidate.scores) if candidate.scores else -math.inf


@dataclass(frozen=True, slots=True)
class Curve:
    """Accuracy by number of candidates k: the ceiling, and the PRM's choice by aggregation."""

    k: tuple[int, ...]
    pass_at: tuple[float, ...]
    best_of: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Summary:
    """Best-of-N of one PRM. `n` is the smallest number of candidates of a problem.

    The votes are None where no candidate has an answer; `unscored` counts candidates without
    scores.
    """

    problems: int
    candidates: int
    n: int
    unscored: int
    pass_at_1: float
    pass_at_n: float
    majority: float | None
    best_of_n: Mapping[str, float]
    weighted_vote: Mapping[str, float] | None
    minimum_at_last_step: float | None
    curve: Curve


def summarize(groups: Sequence[Group]) -> Summary:
    """Compute every Best-of-N figure of one PRM over problems with at least one candidate each."""
    candidates = [candidate for group in groups for candidate in group]
    voting = any(c.answer for c in candidates)
    return Summary(
        problems=len(groups),
        candidates=len(candidates),
        n=min(map(len, groups)),
        unscored=sum(not c.scores for c in candidates),
        pass_at_1=pass_at_1(groups),
        pass_at_n=pass_at_n(groups),
        majority=majority(groups) if voting else None,
        best_of_n={name: best_of_n(groups, name) for name in AGGREGATIONS},
        weighted_vote={n: weighted_vote(groups, n) for n in AGGREGATIONS} if voting else None,
        minimum_at_last_step=minimum_at_last_step([c.scores for c in candidates]),
        curve=curve(groups),
    )


def curve(groups: Sequence[Group]) -> Curve:
    """Return the accuracies at k = 1, 2, 4, ... up to the smallest number of candidates."""
    n = min(map(len, groups))
    ks = tuple(sorted({*(1 << power for power in range(n.bit_length())), n}))
    best = {name: tuple(best_of_k(groups, k, name) for k in ks) for name in AGGREGATIONS}
    return Curve(ks, tuple(pass_at_k(groups, k) for k in ks), best)


def _expected(group: Group, k: int, aggregation: str) -> float:
    ranked = sorted(group, key=lambda c: -value(c, aggregation))
    chances = (math.comb(len(group) - 1 - rank, k - 1) for rank in range(len(group)))
    won = sum(chance for chance, c in zip(chances, ranked, strict=True) if c.correct)
    return won / math.comb(len(group), k)


def _vote(group: Group, weight: Callable[[Candidate], float]) -> bool:
    voters = [candidate for candidate in group if candidate.answer]
    answer = elect([c.answer for c in voters], [weight(c) for c in voters])
    return next((c.correct for c in voters if c.answer == answer), False)
