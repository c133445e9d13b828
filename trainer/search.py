"""Use step scores while solving: a vote among answers, and a greedy search guided by a PRM.

Plain functions of plain functions: any model proposes, any PRM scores.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

Propose = Callable[[str, Sequence[str], int], Sequence[str]]
"""(problem, steps so far, how many) to that many next steps."""
Score = Callable[[Sequence[tuple[str, Sequence[str]]]], Sequence[Sequence[float]]]
"""(problem, steps) pairs to one probability of right per step."""


def elect(answers: Sequence[str], weights: Sequence[float] | None = None) -> str | None:
    """Return the answer of most weight (by default 1 each), None without any.

    The first seen wins a tie. With a PRM's scores as weights this is Math-Shepherd's weighted
    self-consistency (arXiv 2312.08935).
    """
    weights = [1.0] * len(answers) if weights is None else weights
    totals: dict[str, float] = {}
    for answer, weight in zip(answers, weights, strict=True):
        totals[answer] = totals.get(answer, 0.0) + weight
    return max(totals, key=lambda answer: totals[answer], default=None)


def guided(
    problem: str,
    propose: Propose,
    score: Score,
    finished: Callable[[Sequence[str]], bool],
    width: int = 8,
    max_steps: int = 40,
) -> list[str]:
    """Write a solution step by step, each time keeping the best of `width` proposals.

    The best is the one whose newest step scores highest, the first of equals (greedy search,
    arXiv 2501.07301, Table 8). Stop when `finished(steps)`, when nothing is proposed, or after
    `max_steps` steps.
    """
    steps: list[str] = []
    while len(steps) < max_steps and not finished(steps):
        proposals = list(dict.fromkeys(propose(problem, steps, width)))  # equal texts score alike
        if not proposals:
            break
        rows = score([(problem, [*steps, proposal]) for proposal in proposals])
        newest = [row[-1] for row in rows]
        steps.append(proposals[newest.index(max(newest))])
    return steps
