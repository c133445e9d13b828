"""Read sampled solutions and their scores for Best-of-N."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.best_of_n import Candidate
from trainer.first_errors import BenchmarkError, read_rows

Table = Mapping[str, tuple[float, ...]]
"""Step scores by the id of the solution."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One sampled solution of a problem: what is scored, its answer, and whether it is right."""

    id: str
    problem_id: str
    prompt: str
    steps: tuple[str, ...]
    answer: str
    correct: bool


def read_samples(path: str | Path) -> list[Sample]:
    """Read JSONL or a JSON array of solutions with `problem_id`, `steps`, `final_answer_correct`.

    `final_answer` is what the solution answers; without it, the content of its last \\boxed{}.
    Raise `BenchmarkError` with the place.
    """
    samples = [_sample(place, row) for place, row in read_rows(Path(path))]
    if not samples:
        raise BenchmarkError(f"{path} holds no solution")
    if len({sample.id for sample in samples}) < len(samples):
        raise BenchmarkError(f"{path}: solutions share an id")
    return samples


def read_scores(path: str | Path) -> Mapping[str, Table]:
    """Read JSONL lines with `id` (or solution_id) and `scores` (or step_scores), by `prm`.

    What `score` prints is such a file; lines without `prm` are those of the model "".
    """
    tables: dict[str, dict[str, tuple[float, ...]]] = {}
    for place, row in read_rows(Path(path)):
        scores = row.get("scores", row.get("step_scores"))
        name = row.get("solution_id", row.get("id"))
        if scores is None and "reason" in row:  # what `score` writes of one it could not score
            continue
        if name is None or not isinstance(scores, list):
            raise BenchmarkError(f"{place}: a line needs an id and scores")
        if not all(type(score) in (int, float) for score in scores):
            raise BenchmarkError(f"{place}: a score is no number")
        tables.setdefault(str(row.get("prm", "")), {})[str(name)] = tuple(map(float, scores))
    return tables


def group(samples: Sequence[Sample], scores: Table) -> list[list[Candidate]]:
    """Return the candidates by problem, both in the order of the file.

    Raise `BenchmarkError` where a score list does not fit a solution's steps or none fits any.
    """
    if not any(sample.id in scores for sample in samples):
        raise BenchmarkError("no solution has scores: do the ids of the two files agree?")
    problems: dict[str, list[Candidate]] = {}
    for sample in samples:
        found = scores.get(sample.id, ())
        if found and len(found) != len(sample.steps):
            raise BenchmarkError(
                f"solution {sample.id!r} has {len(sample.steps)} steps but {len(found)} scores"
            )
        candidate = Candidate(sample.answer, sample.correct, found)
        problems.setdefault(sample.problem_id, []).append(candidate)
    return list(problems.values())


def last_boxed(text: str) -> str:
    """Return the content of the last \\boxed{} whose braces close, else ""."""
    return next((text[begin:end] for begin, end in _boxes(text)), "")


def _boxes(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the boxes' contents begin and end, the last box first."""
    mark, place = "\\boxed{", len(text)
    while (place := text.rfind(mark, 0, place)) >= 0:
        begin, depth = place + len(mark), 1
        for end in range(begin, len(text)):
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            if depth == 0:
                yield begin, end
                break


def _sample(place: str, row: Mapping[str, Any]) -> Sample:
    steps, correct = row.get("steps"), row.get("final_answer_correct")
    prompt = row.get("prompt", row.get("problem"))
    if not isinstance(prompt, str) or "problem_id" not in row or not _texts(steps):
        raise BenchmarkError(f"{place}: a solution needs problem_id, prompt (or problem) and steps")
    if type(correct) is not bool:
        raise BenchmarkError(f"{place}: final_answer_correct must be true or false")
    steps = tuple(steps or ())
    answer = row.get("final_answer")
    return Sample(
        id=str(row.get("id", place)),
        problem_id=str(row["problem_id"]),
        prompt=prompt,
        steps=steps,
        answer=(last_boxed("\n".join(steps)) if answer is None else str(answer)).strip(),
        correct=correct,
    )


def _texts(steps: object) -> bool:
    return isinstance(steps, list) and bool(steps) and all(isinstance(s, str) for s in steps)
