"""Chain arithmetic modulo 10: problems, their solutions, and the truth about any solution.

Plain Python. It knows neither tokens nor models; randomness comes in as a `random.Random`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from demo.guidelines import GUIDELINES

__all__ = [
    "GUIDELINES",
    "Chain",
    "Truth",
    "WorldProblem",
    "apply",
    "check_prompt",
    "check_reply",
    "next_step",
    "problems",
    "random_chain",
    "read",
    "reference_steps",
    "solution_text",
    "solve_prompt",
    "split_steps",
    "truth",
]

MODULUS = 10
ADDENDS = range(1, MODULUS)
# 2, 5 and 0 map several values to one, so that a wrong step can still lead to the right answer.
MULTIPLIERS = (2, 3, 5, 2, 5, 0)
MOVES = range(1, 9)
"""How many moves a problem may have: each step has a name of its own in the vocabulary."""

SEPARATOR = "\n\n"
NO_ERROR = -1
RIGHT, WRONG = 1, -1


@dataclass(frozen=True, slots=True)
class WorldProblem:
    """A problem's text without its frame (`9 + 4 * 5?`), its answer and a name for it."""

    statement: str
    answer: str
    external_id: str


@dataclass(frozen=True, slots=True)
class Truth:
    """The label of each step given the steps before it, and the first wrong step, 0-based."""

    step_labels: tuple[int, ...]
    first_error: int


@dataclass(frozen=True, slots=True)
class Chain:
    """A statement that was read: the number it starts from and its moves, left to right."""

    start: int
    moves: tuple[tuple[str, int], ...]

    @property
    def statement(self) -> str:
        """The text that `read` reads."""
        return str(self.start) + "".join(f" {sign} {number}" for sign, number in self.moves) + "?"


def read(statement: str) -> Chain:
    """Read a statement; raise ValueError for a text that is none of this world's problems."""
    if not _STATEMENT.fullmatch(statement):
        raise ValueError(f"{statement!r} is not a chain such as '9 + 4 * 5?'")
    moves = tuple((sign, int(number)) for sign, number in _MOVE.findall(statement))
    return Chain(int(statement[0]), moves)


def apply(value: int, sign: str, number: int) -> int:
    """Return the value after one move, modulo 10."""
    return (value + number if sign == "+" else value * number) % MODULUS


def random_chain(rng: random.Random, moves: int) -> Chain:
    """Draw a chain; additions and multiplications are equally likely."""
    drawn = tuple(
        ("+", rng.choice(ADDENDS)) if rng.random() < 0.5 else ("*", rng.choice(MULTIPLIERS))
        for _ in range(moves)
    )
    return Chain(rng.randrange(MODULUS), drawn)


def problems(
    seed: int, count: int, *, min_moves: int = 3, max_moves: int = 6
) -> list[WorldProblem]:
    """Draw `count` distinct problems; the first ones do not depend on `count`.

    Raise ValueError for a range outside MOVES or too narrow to hold so many problems.
    """
    if not MOVES.start <= min_moves <= max_moves < MOVES.stop:
        raise ValueError(f"{min_moves} to {max_moves} moves are not within 1 to {MOVES[-1]}")
    kinds = len(ADDENDS) + len(set(MULTIPLIERS))
    space = sum(MODULUS * kinds**moves for moves in range(min_moves, max_moves + 1))
    if count > space // 2:
        raise ValueError(f"{count} distinct problems are too many: at most {space // 2}")
    rng = random.Random(f"problems:{seed}")
    chains: dict[str, None] = {}
    while len(chains) < count:
        chains[random_chain(rng, rng.randint(min_moves, max_moves)).statement] = None
    return [
        WorldProblem(statement, _answer(statement), f"chain-{seed}-{number:04d}")
        for number, statement in enumerate(chains, start=1)
    ]


def next_step(statement: str, steps: Sequence[str]) -> str | None:
    """Return the one line that follows from the line before; None where nothing follows.

    Nothing follows an Answer line or a line that states no value.
    """
    chain, done = read(statement), len(steps)
    value = _stated(steps[-1]) if steps else chain.start
    if value is None or done > len(chain.moves):
        return None
    if done == len(chain.moves):
        return f"Answer: {value}"
    sign, number = chain.moves[done]
    return f"Step {done + 1}: {value} {sign} {number} = {apply(value, sign, number)}"


def reference_steps(statement: str) -> tuple[str, ...]:
    """Return the right solution, its Answer line last."""
    steps: list[str] = []
    while (step := next_step(statement, steps)) is not None:
        steps.append(step)
    return tuple(steps)


def truth(statement: str, steps: Sequence[str]) -> Truth:
    """Label each step 1 (right) or -1 (wrong): right is exactly what `next_step` says there.

    White space around a step does not count. A solution that stops before its Answer line has no
    wrong line for that alone: the label speaks of the lines that stand there.
    """
    labels = tuple(
        RIGHT if step.strip() == next_step(statement, steps[:index]) else WRONG
        for index, step in enumerate(steps)
    )
    return Truth(labels, labels.index(WRONG) if WRONG in labels else NO_ERROR)


def solution_text(steps: Sequence[str]) -> str:
    """Join steps as a solution is written: `Step 1: 9 + 4 = 3\\n\\nAnswer: 3`."""
    return SEPARATOR.join(steps)


def split_steps(text: str) -> tuple[str, ...]:
    """Return the steps of a solution's text; blank ones are none."""
    return tuple(part.strip() for part in text.split(SEPARATOR) if part.strip())


def solve_prompt(statement: str, steps: Sequence[str] = ()) -> str:
    """Return the prompt that the checkpoint completes after these steps (template "plain")."""
    return f"Problem: {statement}{SEPARATOR}" + "".join(step + SEPARATOR for step in steps)


def check_prompt(statement: str, steps: Sequence[str]) -> str:
    """Return the prompt that the checkpoint answers with a verdict per step (template "check")."""
    return solve_prompt(statement, steps) + "Check:"


def check_reply(labels: Sequence[int]) -> str:
    """Return the reply to `check_prompt`, ` Step 1: ok Step 2: wrong`; the last line is the Answer.

    The names follow the place of a line, not its text.
    """
    names = [f"Step {number}" for number in range(1, len(labels))] + ["Answer"]
    words = ("ok" if label == RIGHT else "wrong" for label in labels)
    return "".join(f" {name}: {word}" for name, word in zip(names, words, strict=False))


_STATEMENT = re.compile(r"[0-9](?: [+*] [0-9]){1,8}\?")
_MOVE = re.compile(r" ([+*]) ([0-9])")
_LINE = re.compile(r"Step [0-9]: [0-9] [+*] [0-9] = ([0-9])")


def _stated(step: str) -> int | None:
    """Return the value that a step's line ends with, None for any other line."""
    match = _LINE.fullmatch(step.strip())
    return int(match[1]) if match else None


def _answer(statement: str) -> str:
    return reference_steps(statement)[-1].removeprefix("Answer: ")
