"""Training documents: solutions by students who slip, and checks of such solutions.

Endless and fresh: nothing is repeated, everything follows from the `random.Random` handed in. What
is right comes from demo.world alone, so the checkpoint and the truth cannot disagree.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from demo import world
from demo.tokenizer import END

CARELESS = (0.0, 0.05, 0.10, 0.20)
"""Slips per line of the students whose solutions are learned: T = 1 sampling reproduces them."""
CHECKED = (0.0, 0.15, 0.3, 0.5)
"""Slips per line of the students whose solutions are checked."""
RECOVERY = 0.08
"""How often a student returns, without a word, to the right value after a slip."""
SLIPS = ("result", "result", "result", "result", "operand", "carry")
CHECK_SHARE = 0.45
POOL = 4


@dataclass(frozen=True, slots=True)
class Document:
    """Words, and per position what is to be learned there; None where nothing is.

    `targets` is the word at the *next* position, `right` the word that would be right at this one;
    `wrong`, at the blank line behind a line of the solution, says whether that line is wrong.
    """

    words: tuple[str, ...]
    targets: tuple[str | None, ...]
    right: tuple[str | None, ...]
    wrong: tuple[bool | None, ...]


def batches(rng: random.Random, count: int, size: int) -> Iterator[list[Document]]:
    """Yield `count` batches of `size` documents of like length; chains grow on the way.

    Documents are drawn for POOL batches at once and sorted, which saves a third of the padding.
    """
    ready: list[list[Document]] = []
    for number in range(count):
        if not ready:
            pool = [draw(rng, number / count) for _ in range(POOL * size)]
            pool.sort(key=lambda document: len(document.words))
            ready = [pool[start : start + size] for start in range(0, len(pool), size)]
            rng.shuffle(ready)
        yield ready.pop()


def draw(rng: random.Random, progress: float) -> Document:
    """Draw a document; `progress` runs from 0 to 1 over training and lets chains grow."""
    chain = world.random_chain(rng, rng.randint(1 if progress < 0.1 else 2, _longest(progress)))
    if rng.random() < CHECK_SHARE:
        return check(chain, student(chain, rng, rng.choice(CHECKED)))
    return solve(chain, student(chain, rng, rng.choice(CARELESS)))


def student(chain: world.Chain, rng: random.Random, rate: float) -> list[str]:
    """Write a solution that slips at each line with probability `rate`."""
    reference = world.reference_steps(chain.statement)
    steps: list[str] = []
    value = true_value = chain.start
    for index, (sign, number) in enumerate(chain.moves):
        if value != true_value and rng.random() < RECOVERY:
            value = true_value
        slip = rng.choice(SLIPS) if rng.random() < rate else None
        value = _other(value, rng) if slip == "carry" else value
        number = _other(number, rng) if slip == "operand" else number
        result = world.apply(value, sign, number)
        result = _other(result, rng) if slip == "result" else result
        steps.append(f"Step {index + 1}: {value} {sign} {number} = {result}")
        value, true_value = result, int(reference[index][-1])
    if value != true_value and rng.random() < RECOVERY:
        value = true_value
    value = _other(value, rng) if rng.random() < rate / 2 else value
    return [*steps, f"Answer: {value}"]


def solve(chain: world.Chain, steps: Sequence[str]) -> Document:
    """Return a solution to learn, slips included; it ends with the Answer.

    The end is learned after the answer's value and after the blank line behind it, because prompts
    put one behind every step.
    """
    words, right, wrong = _solution(chain, steps)
    begin = len(_problem(chain))
    targets: list[str | None] = [None] * (begin - 1) + [*words[begin:], END]
    targets[-2] = END
    return Document(tuple(words), tuple(targets), tuple(right), tuple(wrong))


def check(chain: world.Chain, steps: Sequence[str]) -> Document:
    """Return a solution that is given, and the verdicts on its lines that are to be learned."""
    words, right, wrong = _solution(chain, steps)
    reply = _reply(world.truth(chain.statement, steps).step_labels)
    targets = (*[None] * len(words), *reply, END)
    nothing = [None] * (len(reply) + 1)
    return Document((*words, "Check:", *reply), targets, (*right, *nothing), (*wrong, *nothing))


def _solution(
    chain: world.Chain, steps: Sequence[str]
) -> tuple[list[str], list[str | None], list[bool | None]]:
    """Return the words of a problem and its solution, with Document's `right` and `wrong`."""
    words = _problem(chain)
    right: list[str | None] = [None] * len(words)
    wrong: list[bool | None] = [None] * len(words)
    for index, step in enumerate(steps):
        line = _line(step)
        expected = world.next_step(chain.statement, steps[:index]) or step
        words += [*line, world.SEPARATOR]
        right += [None, *_line(expected)[1:], None]
        wrong += [*[None] * len(line), step != expected]
    return words, right, wrong


def _problem(chain: world.Chain) -> list[str]:
    moves = [word for sign, number in chain.moves for word in (f" {sign}", f" {number}")]
    return ["Problem:", f" {chain.start}", *moves, "?", world.SEPARATOR]


def _line(step: str) -> list[str]:
    name, _, rest = step.partition(":")
    return [f"{name}:", *(f" {word}" for word in rest.split())]


def _reply(labels: Sequence[int]) -> list[str]:
    names = [f" Step {number}:" for number in range(1, len(labels))] + [" Answer:"]
    verdicts = (" ok" if label == world.RIGHT else " wrong" for label in labels)
    return [word for pair in zip(names, verdicts, strict=True) for word in pair]


def _longest(progress: float) -> int:
    """Return the most moves at this time: from 2 to 6 over the first 30 %."""
    return min(6, 2 + int(progress / 0.3 * 5))


def _other(digit: int, rng: random.Random) -> int:
    """Return another digit; half of them are off by one."""
    if rng.random() < 0.5:
        return (digit + rng.choice((-1, 1))) % world.MODULUS
    return (digit + rng.randrange(1, world.MODULUS)) % world.MODULUS
