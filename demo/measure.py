"""Measure the checkpoint as policy, completer and judge: `python -m demo.measure DIR`.

Every number is counted against the known truth and printed as JSON. The problems are drawn
independently of the training documents, in which short chains may occur as well.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo import world
from demo.sampling import complete, load

SEED = 1_000_003
"""Problems of this seed are for measuring; samples use small seeds."""
COMPLETIONS = 8
"""Completions per step, as in arXiv 2501.07301."""


@dataclass(frozen=True, slots=True)
class Case:
    """A problem, a sampled solution and the truth about it."""

    problem: world.WorldProblem
    steps: tuple[str, ...]
    truth: world.Truth

    @property
    def answered(self) -> bool:
        """Whether the solution ends with the right answer."""
        return answers(self.steps, self.problem)


def answers(steps: Sequence[str], problem: world.WorldProblem) -> bool:
    """Say whether the last step states the problem's answer."""
    return bool(steps) and steps[-1] == f"Answer: {problem.answer}"


def sample(model: Any, tokenizer: Any, count: int, seed: int | None) -> list[Case]:
    """Draw `count` solutions at T = 1 (seed None: greedy), each of another problem."""
    problems = world.problems(SEED, count)
    texts = complete(
        model, tokenizer, [world.solve_prompt(p.statement) for p in problems], seed=seed
    )
    solved = zip(problems, map(world.split_steps, texts), strict=True)
    return [Case(p, steps, world.truth(p.statement, steps)) for p, steps in solved]


def monte_carlo(model: Any, tokenizer: Any, cases: Sequence[Case], seed: int) -> list[int]:
    """Return each case's first step from which none of 8 completions reaches the answer.

    The last step is labeled by the solution's own answer.
    """
    places = [(i, end) for i, case in enumerate(cases) for end in range(1, len(case.steps))]
    drawn = [place for place in places for _ in range(COMPLETIONS)]
    prompts = [
        world.solve_prompt(cases[i].problem.statement, cases[i].steps[:end]) for i, end in drawn
    ]
    texts = complete(model, tokenizer, prompts, seed=seed)
    reached = {(i, len(case.steps)) for i, case in enumerate(cases) if case.answered}
    for (i, end), text in zip(drawn, texts, strict=True):
        if answers(world.split_steps(text), cases[i].problem):
            reached.add((i, end))
    return [
        next((t for t in range(len(case.steps)) if (i, t + 1) not in reached), world.NO_ERROR)
        for i, case in enumerate(cases)
    ]


def judge(model: Any, tokenizer: Any, cases: Sequence[Case]) -> list[int | None]:
    """Return each case's first error by the greedy judge; None where its reply is unreadable."""
    prompts = [world.check_prompt(case.problem.statement, case.steps) for case in cases]
    replies = complete(model, tokenizer, prompts, seed=None)
    return [read_reply(text, len(case.steps)) for text, case in zip(replies, cases, strict=True)]


def read_reply(text: str, step_count: int) -> int | None:
    """Return the place of the first "wrong", NO_ERROR without one; None for too few or too many."""
    words = re.findall(r" (?:Step \d|Answer): (ok|wrong)", text)
    if len(words) != step_count:
        return None
    return words.index("wrong") if "wrong" in words else world.NO_ERROR


def measure(directory: Path, count: int = 1500, seed: int = 0) -> dict[str, Any]:
    """Return all shares; solutions are drawn at T = 1, the judge replies greedily."""
    model, tokenizer = load(directory)
    cases = sample(model, tokenizer, count, seed)
    greedy = sample(model, tokenizer, min(count, 500), None)
    estimated = monte_carlo(model, tokenizer, cases, seed)
    judged = judge(model, tokenizer, cases)
    true = [case.truth.first_error for case in cases]
    kept = [i for i in range(count) if estimated[i] == judged[i]]
    return {
        "solutions": count,
        "greedy_right_answers": share(case.answered for case in greedy),
        "broken_off_or_unreadable": share(not _well_formed(case.steps) for case in cases),
        "errors_per_step": share(x < 0 for case in cases for x in case.truth.step_labels),
        "wrong_answers": share(not case.answered for case in cases),
        "right_answers_with_wrong_step": share(
            case.truth.first_error >= 0 for case in cases if case.answered
        ),
        "judge": errors(judged, true),
        "monte_carlo": errors(estimated, true),
        "consensus": {
            "retention": share(a == b for a, b in zip(estimated, judged, strict=True)),
            **errors([judged[i] for i in kept], [true[i] for i in kept]),
        },
    }


def errors(found: Sequence[int | None], true: Sequence[int]) -> dict[str, float]:
    """Return how often the first error is exact, and the shares of the ways to miss it."""
    pairs = list(zip(found, true, strict=True))
    read = [(f, t) for f, t in pairs if f is not None]
    return {
        "exact": share(f == t for f, t in pairs),
        "late": sum(f > t >= 0 for f, t in read) / len(pairs),
        "missed": sum(f < 0 <= t for f, t in read) / len(pairs),
        "early": sum(0 <= f < t for f, t in read) / len(pairs),
        "false_alarm": sum(t < 0 <= f for f, t in read) / len(pairs),
        "unreadable": share(f is None for f, _ in pairs),
    }


def share(flags: Any) -> float:
    """Return the share of true flags; 0 of none is 0."""
    values = [bool(flag) for flag in flags]
    return sum(values) / len(values) if values else 0.0


def _well_formed(steps: Sequence[str]) -> bool:
    lines = all(re.fullmatch(r"Step \d: \d [+*] \d = \d", step) for step in steps[:-1])
    return bool(steps) and lines and re.fullmatch(r"Answer: \d", steps[-1]) is not None


def main() -> None:
    """Print the measurements of a checkpoint as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--count", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    print(json.dumps(measure(args.directory, args.count, args.seed), indent=2))


if __name__ == "__main__":
    main()
