"""BIG-Bench-Mistake and PRMBench: solutions with marked, or planted, wrong steps."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labeling.domain.answers import final_answer
from labeling.domain.formats.fields import (
    equal_answers,
    first_error_in,
    id_of,
    statement_of,
    steps_of,
    text_of,
    whole_number,
)
from labeling.domain.formats.located import NOWHERE, located_row
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

BIGBENCH = Source(LabelerKind.HUMAN, "BIG-Bench-Mistake")
PRMBENCH = Source(LabelerKind.GOLD, "PRMBench")
"""Errors put in on purpose: a key, which decides nothing by itself."""

OUTSIDE = "an error is marked at a step that is not there: left out"
_COUNT = re.compile(r"\s*(\d{1,4})\.\s+")


def fits_bigbench(row: Row) -> bool:
    """Say whether the row is a trace of BIG-Bench-Mistake."""
    return {"input", "steps", "mistake_index"} <= set(row)


def read_bigbench(row: Row, reading: Reading) -> Iterator[ImportRow]:  # noqa: ARG001 - every reader's
    """Read a trace; a null mistake index says that no step is wrong, whatever the answer is."""
    steps = steps_of(row["steps"])
    index = first_error_in(row["mistake_index"], len(steps), "mistake_index")
    first = NO_ERROR if index is None else index
    target, given = text_of(row, "target").strip(), text_of(row, "answer").strip()
    right = equal_answers(given, target)
    if right is None and given and target:
        right = given == target
    yield located_row(
        ProblemRow(statement_of(row, "input"), target, source="BIG-Bench-Mistake"),
        steps,
        GivenVerdict(BIGBENCH, first, labels_up_to(first, len(steps))),
        "PaLM 2-L (Unicorn)",
        given or None,
        right,
    )


def fits_prmbench(row: Row) -> bool:
    """Say whether the row is a solution that PRMBench put errors into."""
    return "modified_process" in row and "error_steps" in row


def read_prmbench(row: Row, reading: Reading) -> Iterator[ImportRow]:  # noqa: ARG001 - every reader's
    """Read the modified solution; `error_steps` count from 1 and may lie outside."""
    steps = _without_counts(steps_of(row["modified_process"], "modified_process"))
    marked = row["error_steps"] or []
    if not isinstance(marked, list):
        raise RowError("error_steps: a list of step numbers is expected")
    numbers = [whole_number(value) for value in marked]
    if None in numbers:
        raise RowError("error_steps: a list of step numbers is expected")
    inside = {n - 1 for n in numbers if n is not None and 1 <= n <= len(steps)}
    labels = tuple(-1 if index in inside else 1 for index in range(len(steps)))
    verdict = GivenVerdict(
        PRMBENCH, min(inside, default=NO_ERROR), labels, critique=text_of(row, "reason")
    )
    lost = bool(numbers) and not inside
    notes = (NOWHERE,) if lost else (OUTSIDE,) if len(inside) < len(set(numbers)) else ()
    statement = "modified_question" if row.get("modified_question") else "question"
    yield located_row(
        ProblemRow(
            statement_of(row, statement),
            source="PRMBench/" + (text_of(row, "classification") or "?"),
        ),
        steps,
        None if lost else verdict,
        "PRM800K solution modified by GPT-4o",
        final_answer(steps[-1]),
        None,
        notes,
        external_id=id_of(row, "idx"),
    )


def _without_counts(steps: tuple[str, ...]) -> tuple[str, ...]:
    """Take "1. ", "2. " … away where they stand before every step, and the space around it."""
    counts = [_COUNT.match(step) for step in steps]
    numbered = all(
        match is not None and int(match[1]) == number for number, match in enumerate(counts, 1)
    )
    bare = [
        (step[match.end() :] if numbered and match else step).strip()
        for step, match in zip(steps, counts, strict=True)
    ]
    return steps_of(bare, "modified_process")
