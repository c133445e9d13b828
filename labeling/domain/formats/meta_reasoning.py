"""Mr-Ben and MR-GSM8K: models' solutions whose first wrong step people numbered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from labeling.domain.answers import final_answer
from labeling.domain.formats.fields import (
    equal_answers,
    id_of,
    numbered_step,
    shown,
    statement_of,
    steps_of,
    text_of,
    whole_number,
)
from labeling.domain.formats.located import located_row
from labeling.domain.formats.rows import (
    GivenVerdict,
    ImportRow,
    ProblemRow,
    Reading,
    Row,
    RowError,
    Source,
)
from labeling.domain.labels import NO_ERROR, LabelerKind, labels_up_to

MRBEN = Source(LabelerKind.HUMAN, "Mr-Ben")
MRGSM8K = Source(LabelerKind.HUMAN, "MR-GSM8K")
_HEADING = re.compile(r"\W{0,6}(?:step\s{0,3}\d|solution\b)", re.IGNORECASE)
_CHOICE = re.compile(r"Choice[_ ]?([A-Z])\b")
_MARKED = re.compile(r"####\s*(\S.*)")


def fits_mrben(row: Row) -> bool:
    """Say whether the row is a model's solution as Mr-Ben has it."""
    return "Model_Solution_Steps" in row and "Question" in row


def read_mrben(row: Row, reading: Reading) -> Iterator[ImportRow]:  # noqa: ARG001 - every reader's
    """Read a solution; the error's number is that of the text "Step k", not of the list."""
    steps = _headed(steps_of(row["Model_Solution_Steps"], "Model_Solution_Steps"))
    options = text_of(row, "Options").strip()
    statement = statement_of(row, "Question").strip()
    answer = text_of(row, "Ground_Truth_Answer_Modified") or text_of(row, "Ground_Truth_Answer")
    verdict = _located(
        steps,
        row.get("Model_Solution_First_Error_Step"),
        "Model_Solution_First_Error_Step",
        MRBEN,
        _joined(row.get("Model_Solution_Error_Reason")),
    )
    choice = _CHOICE.search(steps[-1])
    given = choice[1] if choice else final_answer(steps[-1])
    right = equal_answers(given, answer)
    yield located_row(
        ProblemRow(
            statement=f"{statement}\n{options}" if options else statement,
            answer=answer.strip(),
            external_id=id_of(row, "Question_UUID"),
            source="Mr-Ben/" + (text_of(row, "Subject") or "?"),
        ),
        steps,
        verdict,
        text_of(row, "Sampled_Model"),
        given,
        right,
    )


def fits_mrgsm8k(row: Row) -> bool:
    """Say whether the row is a model's solution as MR-GSM8K has it."""
    return "model_output_steps" in row and "question" in row


def read_mrgsm8k(row: Row, reading: Reading) -> Iterator[ImportRow]:  # noqa: ARG001 - every reader's
    """Read a solution with its first error step, counted as its text counts."""
    steps = steps_of(row["model_output_steps"], "model_output_steps")
    number = row.get("model_output_solution_first_error_step")
    if text_of(row, "model_output_solution_correctness").lower() in ("correct", "right"):
        number = "N/A"
    verdict = _located(
        steps,
        number,
        "model_output_solution_first_error_step",
        MRGSM8K,
        text_of(row, "model_output_solution_first_error_reason"),
    )
    marked = _MARKED.search(steps[-1][-500:])
    given = marked[1].strip() if marked else final_answer(steps[-1])
    correctness = text_of(row, "model_output_answer_correctness").lower()
    yield located_row(
        ProblemRow(
            statement=statement_of(row, "question"),
            answer=text_of(row, "ground_truth_answer").strip(),
            external_id=id_of(row, "uuid"),
            source="MR-GSM8K/" + (text_of(row, "question_type") or "original"),
        ),
        steps,
        verdict,
        "",
        given,
        {"correct": True, "right": True, "wrong": False, "incorrect": False}.get(correctness),
    )


def _located(
    steps: Sequence[str], number: Any, name: str, source: Source, critique: str
) -> GivenVerdict | None:
    """Return the verdict that an error's number implies, None where there is no such step."""
    if number is None or (isinstance(number, str) and number.strip().upper() in ("", "N/A")):
        first = NO_ERROR
    else:
        value = whole_number(number)
        if value is None:
            raise RowError(
                "{name}: {number} is not a step's number", name=name, number=shown(number)
            )
        index = numbered_step(steps, value)
        if index is None:
            return None
        first = index
    said = "" if first == NO_ERROR else critique
    return GivenVerdict(source, first, labels_up_to(first, len(steps)), critique=said)


def _joined(value: Any) -> str:
    texts = value if isinstance(value, list) else [value]
    return "\n\n".join(
        text_of({"reason": text}, "reason").strip() for text in texts if isinstance(text, str)
    )


def _headed(lines: Sequence[str]) -> tuple[str, ...]:
    """Join each line without a heading of its own to the one before: an error is that of a "Step k"
    with all its lines."""
    steps: list[str] = []
    for line in lines:
        if steps and not _HEADING.match(line):
            steps[-1] += "\n" + line
        else:
            steps.append(line)
    return steps_of(steps, "Model_Solution_Steps")
