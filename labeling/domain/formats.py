"""Read rows of problems and solutions: native JSONL, ProcessBench, GSM8K, MATH-style problems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labeling.domain.answers import final_answer
from labeling.domain.labels import LabelError, check_first_error
from labeling.domain.steps import EmptyText, SplitRule, split

TEXT_LIMIT = 200_000
"""Characters of one statement or step."""

STEP_LIMIT = 1000


class RowError(ValueError):
    """A row that cannot be imported; the text names the field and says why."""


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """A problem; an empty answer means that none is known."""

    statement: str
    answer: str = ""
    external_id: str = ""
    source: str = ""
    licence: str = ""


@dataclass(frozen=True, slots=True)
class SolutionRow:
    """A solution; `label` is a person's first error (-1 none, None unlabeled)."""

    steps: tuple[str, ...]
    gaps: tuple[str, ...] = ()
    external_id: str = ""
    generator: str = ""
    final_answer: str | None = None
    final_answer_correct: bool | None = None
    label: int | None = None
    labelled_by: str = ""


@dataclass(frozen=True, slots=True)
class ImportRow:
    """What one row holds: a problem, and a solution of it if there is one."""

    problem: ProblemRow
    solution: SolutionRow | None


def read_row(row: Any, rule: SplitRule) -> ImportRow:
    """Read one parsed row of any known format; `rule` splits solutions given as one text.

    Formats are told apart by their fields: GSM8K has `question`; ProcessBench and native rows
    have `problem` with `steps` or a `response`; MATH has `problem` with `solution`.
    """
    if not isinstance(row, Mapping):
        raise RowError("a JSON object is expected")
    problem = _gsm8k_problem(row) if "question" in row else _problem(row)
    solution = _solution(row, rule)
    if solution is None and not problem.answer:
        raise RowError(
            "answer: the problem has no reference answer, and no solution to label comes with it"
        )
    return ImportRow(problem, solution)


def _gsm8k_problem(row: Mapping[str, Any]) -> ProblemRow:
    worked = _text(row, "answer")
    answer = final_answer(worked) if "####" in worked else worked
    return ProblemRow(
        statement=_statement(row, "question"),
        answer=(answer or "").strip(),
        external_id=_id(row),
        source=_text(row, "source") or "GSM8K",
        licence=_text(row, "licence"),
    )


def _problem(row: Mapping[str, Any]) -> ProblemRow:
    answer = _text(row, "answer")
    if not answer and "solution" in row and "steps" not in row:
        answer = final_answer(_text(row, "solution")) or ""
    has_steps = "steps" in row or "response" in row
    return ProblemRow(
        statement=_statement(row, "problem"),
        answer=answer.strip(),
        external_id=_text(row, "problem_id") or ("" if has_steps else _id(row)),
        source=_text(row, "source"),
        licence=_text(row, "licence"),
    )


def _solution(row: Mapping[str, Any], rule: SplitRule) -> SolutionRow | None:
    gaps: tuple[str, ...] = ()
    if row.get("steps") is not None:
        steps = _steps(row["steps"])
    elif "response" in row:
        try:
            parts = split(_text(row, "response"), rule)
        except EmptyText as error:
            raise RowError(f"response: {error}") from error
        steps, gaps = parts.parts, parts.gaps
    else:
        return None
    correct = row.get("final_answer_correct")
    if correct is not None and not isinstance(correct, bool):
        raise RowError(f"final_answer_correct: {correct!r} is neither true, false nor null")
    label = _label(row.get("label"), len(steps))
    return SolutionRow(
        steps=steps,
        gaps=gaps,
        external_id=_text(row, "solution_id") or _id(row),
        generator=_text(row, "generator"),
        final_answer=final_answer(steps[-1]),
        final_answer_correct=correct,
        label=label,
        labelled_by=_text(row, "labelled_by"),
    )


def _steps(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise RowError("steps: a list with at least one step is expected")
    if len(value) > STEP_LIMIT:
        raise RowError(f"steps: {len(value)} steps are more than {STEP_LIMIT}")
    for index, step in enumerate(value):
        if not isinstance(step, str) or not step.strip():
            raise RowError(f"steps: step {index} is empty or not a text")
        _check_text(step, f"steps: step {index}")
    return tuple(value)


def _label(value: Any, step_count: int) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise RowError(f"label: {value!r} is not a step index")
    try:
        check_first_error(value, step_count)
    except LabelError as error:
        raise RowError(f"label: {error}") from error
    return value


def _statement(row: Mapping[str, Any], name: str) -> str:
    text = _text(row, name)
    if not text.strip():
        raise RowError(f"{name}: the statement is missing or empty")
    return text


def _id(row: Mapping[str, Any]) -> str:
    for name in ("external_id", "id", "unique_id"):
        value = row.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool):
            _check_text(str(value), name)
            return str(value)[:200]
    return ""


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise RowError(f"{name}: a text is expected, not {type(value).__name__}")
    _check_text(str(value), name)
    return str(value)


def _check_text(text: str, name: str) -> None:
    if len(text) > TEXT_LIMIT:
        raise RowError(f"{name}: {len(text)} characters are more than {TEXT_LIMIT}")
    if "\x00" in text:
        raise RowError(f"{name}: holds a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise RowError(f"{name}: holds a lone surrogate, which is no text") from error
