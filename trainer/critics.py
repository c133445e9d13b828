"""LLM critics over an OpenAI-compatible server: which paragraph holds the earliest error?

The protocol is ProcessBench's (paragraphs numbered from 0, the number or -1 in a box; read and
counted as in its code/run_eval.py); the words are ours. A solution whose replies hold no number has
no prediction, which counts as wrong.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from trainer.evaluation import EvaluationError, Prediction
from trainer.http import Endpoint, HttpError
from trainer.records import Record

PROMPT = """\
Below are a math problem and a solution to it, cut into paragraphs that are numbered from 0.

[Math Problem]

{problem}

[Solution]

{solution}

Examine the solution paragraph by paragraph and find the earliest paragraph that holds an error.
Reply with the number of that paragraph, or with -1 if no paragraph holds an error.

Put that number, and nothing else, in \\boxed{{}}.
"""
_TAG = re.compile(r"<(?=\s*/?\s*paragraph)", re.IGNORECASE)
_BOX = re.compile(r"\\boxed\{([^}]*)\}")
_AT_FAULT = (400, 413, 422)
"""What a server answers where it cannot read this solution, and nothing else is amiss."""


@dataclass(frozen=True, slots=True)
class Critic:
    """A model on a server and how it is asked: `votes` replies, the most frequent number wins.

    The benchmark asks once at temperature 0, or 8 times at temperature 1 and top_p 0.9; vote i has
    the seed `seed` + i.
    """

    endpoint: Endpoint
    model: str
    votes: int = 1
    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 8192
    seed: int = 42
    connections: int = 8

    def predict(self, records: Iterable[Record]) -> Iterator[Prediction]:
        """Ask about every record, whose first error must be known; yield answers in order.

        A solution that the server refuses has no prediction; raise `HttpError` where the server
        cannot be asked.
        """
        with ThreadPoolExecutor(self.connections) as pool:
            yield from pool.map(self._predict, records)

    def _predict(self, record: Record) -> Prediction:
        try:
            numbers = [read_reply(self._reply(record, vote)) for vote in range(self.votes)]
        except HttpError as error:
            if error.status not in _AT_FAULT:
                raise
            return _prediction(record, None, str(error))
        found = majority(numbers)
        return _prediction(record, found, "no reply holds a boxed number" if found is None else "")

    def _reply(self, record: Record, vote: int) -> str:
        """Ask once; every vote is a request of its own, for many servers ignore `n`."""
        body = {
            "model": self.model,
            "messages": [{"role": "user", "content": question(record.prompt, record.steps)}],
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_tokens,
            "seed": self.seed + vote,
        }
        answer = self.endpoint.post("/v1/chat/completions", body)
        try:
            return str(answer["choices"][0]["message"]["content"] or "")
        except (LookupError, TypeError) as error:
            raise HttpError(f"the answer is none of a chat: {error!r}", 0) from error


def question(problem: str, steps: Sequence[str]) -> str:
    """Return what a critic is asked; tags in the texts are broken, so that numbers stay true."""
    paragraphs = [
        f"<paragraph_{number}>\n{_TAG.sub('‹', step)}\n</paragraph_{number}>"
        for number, step in enumerate(steps)
    ]
    return PROMPT.format(problem=_TAG.sub("‹", problem), solution="\n\n".join(paragraphs))


def read_reply(reply: str) -> int | None:
    """Return the integer in the last box of a reply, None where there is none."""
    boxes = _BOX.findall(reply)
    try:
        return int(boxes[-1].strip()) if boxes else None
    except ValueError:
        return None


def majority(numbers: Sequence[int | None]) -> int | None:
    """Return the most frequent number; None does not count, the first seen wins a tie."""
    votes = Counter(number for number in numbers if number is not None)
    return votes.most_common(1)[0][0] if votes else None


def _prediction(record: Record, found: int | None, reason: str) -> Prediction:
    label, correct = record.first_error, record.final_answer_correct
    if label is None:
        raise EvaluationError(f"record {record.id!r} has no first_error to evaluate against")
    return Prediction(record.id, record.split, label, found, (), correct, reason)
