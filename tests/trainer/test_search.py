from __future__ import annotations

from collections.abc import Sequence

from trainer.search import elect, guided


def test_the_answer_of_most_weight_wins_and_the_first_seen_a_tie() -> None:
    assert elect(["1", "2", "2"]) == "2"
    assert elect(["1", "2", "2"], [0.9, 0.3, 0.3]) == "1"
    assert elect(["2", "1"]) == "2"
    assert elect([]) is None


def test_each_step_is_the_proposal_that_scores_highest() -> None:
    asked: list[tuple[int, int]] = []

    def propose(problem: str, steps: Sequence[str], count: int) -> list[str]:
        asked.append((len(steps), count))
        return [f"{len(steps)}{letter}" for letter in "abca"]

    def score(pairs: Sequence[tuple[str, Sequence[str]]]) -> list[list[float]]:
        assert len(pairs) == 3  # the second "a" is not scored again
        best = {"0b", "1c", "2a"}
        return [[0.1] * (len(s) - 1) + [0.9 if s[-1] in best else 0.2] for _, s in pairs]

    steps = guided("p", propose, score, lambda steps: len(steps) == 3, width=4)
    assert steps == ["0b", "1c", "2a"]
    assert asked == [(0, 4), (1, 4), (2, 4)]


def test_equal_scores_keep_the_first_and_the_search_ends() -> None:
    flat = lambda pairs: [[0.5] * len(steps) for _, steps in pairs]  # noqa: E731
    never = lambda steps: False  # noqa: E731
    assert guided("p", lambda *_: ["x", "y"], flat, never, max_steps=2) == ["x", "x"]
    assert guided("p", lambda *_: [], flat, never) == []
    assert guided("p", lambda *_: ["x"], flat, lambda steps: True) == []
