"""PRM800K, both phases: people rate the candidates for each next step."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from labeling.domain.answers import final_answer
from labeling.domain.formats.fields import (
    STEP_LIMIT,
    checked,
    equal_answers,
    id_of,
    statement_of,
    steps_of,
    text_of,
    truth_of,
)
from labeling.domain.formats.rows import (
    GivenVerdict,
    ImportRow,
    ProblemRow,
    Reading,
    Row,
    RowError,
    SolutionRow,
    Source,
)
from labeling.domain.labels import NO_ERROR, LabelerKind, VerdictState

GENERATOR = "GPT-4 (PRM800K)"
_ANSWER = re.compile(r"#\s*Answer\s+(\S[^\n]*)\s*$")


@dataclass(frozen=True, slots=True)
class _Step:
    """A candidate step. A person's own step has no rating: it was written to be right."""

    text: str
    rating: int | None
    human: bool = False


def fits(row: Row) -> bool:
    """Say whether the row is a question with the labels of its steps' candidates."""
    question, label = row.get("question"), row.get("label")
    return isinstance(question, dict) and isinstance(label, dict) and "steps" in label


def read(row: Row, reading: Reading) -> Iterator[ImportRow]:
    """Read the solution that the labeler followed, then each candidate left aside.

    Phase 2 labels solutions written beforehand and stops at the first error: the rest of the
    solution comes from `pre_generated_steps`. A candidate left aside ends a truncated solution,
    which begins with the steps that the labeler had chosen before it.
    """
    problem = _problem(row)
    source = Source(LabelerKind.HUMAN, _labeler(row))
    path, aside = _walk(row)
    main = _main(row, problem, source, path)
    if main is not None:
        yield ImportRow(problem, main)
    if reading.alternatives:
        for depth, other in aside:
            if other.rating is not None:
                yield ImportRow(problem, _aside([*path[:depth], other], source))


def _walk(row: Row) -> tuple[list[_Step], list[tuple[int, _Step]]]:
    """Return the path and, each with its depth, the candidates beside it.

    In phase 2 the last step of a faulty solution is not "chosen", but its first candidate, rated
    -1, is the solution's own step.
    """
    path: list[_Step] = []
    aside: list[tuple[int, _Step]] = []
    for index, step in enumerate(_list(row["label"]["steps"], "label.steps")):
        taken, others = _candidates(step, f"label.steps[{index}]")
        if taken is None and others and row["question"].get("pre_generated_steps"):
            taken, others = others[0], others[1:]
        aside += [(index, other) for other in others]
        if taken is None:
            break
        path.append(taken)
    return path, aside


def _problem(row: Row) -> ProblemRow:
    question = row["question"]
    return ProblemRow(
        statement=statement_of(question, "problem"),
        answer=text_of(question, "ground_truth_answer").strip(),
        external_id=id_of(question, "problem_id"),
        source=text_of(question, "source") if "source" in question else "PRM800K",
        licence=text_of(question, "licence"),
    )


def _labeler(row: Row) -> str:
    name = text_of(row, "labeler")
    return f"PRM800K {name}" if name else "PRM800K"


def _candidates(step: Any, name: str) -> tuple[_Step | None, list[_Step]]:
    """Return the step that the labeler went on with, None where there is none, and the others."""
    if not isinstance(step, dict):
        raise RowError("{name}: an object is expected", name=name)
    rated = [
        _step(candidate, f"{name}.completions[{index}]")
        for index, candidate in enumerate(_list(step.get("completions") or [], name))
    ]
    chosen = step.get("chosen_completion")
    if chosen is None:
        human = step.get("human_completion")
        return (None if human is None else _step(human, f"{name}.human_completion", True)), rated
    if isinstance(chosen, bool) or not isinstance(chosen, int) or not 0 <= chosen < len(rated):
        raise RowError(
            "{name}.chosen_completion: is none of the {count} completions",
            name=name,
            count=len(rated),
        )
    return rated[chosen], rated[:chosen] + rated[chosen + 1 :]


def _step(value: Any, name: str, human: bool = False) -> _Step:
    if human and isinstance(value, str):
        value = {"text": value}
    text = value.get("text") if isinstance(value, dict) else None
    if not isinstance(text, str) or not text.strip():
        raise RowError("{name}: has no text", name=name)
    rating = value.get("rating")
    if isinstance(rating, bool) or rating not in (-1, 0, 1, None):
        raise RowError("{name}: the rating is not one of -1, 0, 1, null", name=name)
    return _Step(checked(text, name), None if human else rating, human)


def _main(row: Row, problem: ProblemRow, source: Source, path: list[_Step]) -> SolutionRow | None:
    question, label = row["question"], row["label"]
    reason = text_of(label, "finish_reason")
    steps = tuple(step.text for step in path)
    if question.get("pre_generated_steps"):
        written = steps_of(question["pre_generated_steps"], "question.pre_generated_steps")
        answer = text_of(question, "pre_generated_answer").strip() or _answer(written[-1])
        steps += written[len(steps) :]
    elif steps:
        answer = _answer(steps[-1])
    else:
        return None
    finished = reason == "solution"
    return SolutionRow(
        steps=steps_of(steps, "label.steps"),
        external_id=id_of(question, "solution_id"),
        generator=text_of(question, "generator") if "generator" in question else GENERATOR,
        final_answer=answer or final_answer(steps[-1]),
        final_answer_correct=truth_of(question, "final_answer_correct")
        if "final_answer_correct" in question
        else True
        if finished
        else equal_answers(answer, problem.answer),
        truncated=not finished and answer is None,
        verdicts=(_verdict(label, source, path, len(steps), reason),),
    )


def _aside(path: list[_Step], source: Source) -> SolutionRow:
    steps = tuple(step.text for step in path)
    answer = _answer(steps[-1])
    return SolutionRow(
        steps=steps,
        generator=GENERATOR,
        final_answer=answer or final_answer(steps[-1]),
        truncated=answer is None,
        verdicts=(_scored(source, path, len(path)),),
    )


def _verdict(
    label: Row, source: Source, path: list[_Step], step_count: int, reason: str
) -> GivenVerdict:
    seconds = _seconds(label)
    if reason == "bad_problem":
        return GivenVerdict(
            source, state=VerdictState.REJECTED, reason="bad problem", seconds=seconds
        )
    return _scored(source, path, step_count, seconds)


def _scored(
    source: Source, path: list[_Step], step_count: int, seconds: float = 0.0
) -> GivenVerdict:
    labels = tuple(step.rating for step in path) + (None,) * (step_count - len(path))
    first = next((index for index, step in enumerate(path) if step.rating == -1), NO_ERROR)
    before = path if first == NO_ERROR else path[:first]
    unrated = any(step.rating is None and not step.human for step in before)
    if unrated or (first == NO_ERROR and len(path) < step_count):
        return GivenVerdict(
            source,
            step_labels=labels,
            state=VerdictState.UNSCORED,
            reason="the labeler left a step unrated",
            seconds=seconds,
        )
    return GivenVerdict(source, first, labels, seconds=seconds)


def _seconds(label: Row) -> float:
    value = label.get("total_time")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        return 0.0
    return value / 1000


def _answer(text: str) -> str | None:
    match = _ANSWER.search(text[-3000:])
    return match[1].strip() if match else None


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise RowError("{name}: a list is expected", name=name)
    if len(value) > STEP_LIMIT:
        raise RowError(
            "{name}: {count} are more than {step_limit}",
            name=name,
            count=len(value),
            step_limit=STEP_LIMIT,
        )
    return value
