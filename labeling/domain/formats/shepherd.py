"""Math-Shepherd: Monte-Carlo labels after each step, as tags within the text."""

from __future__ import annotations

from collections.abc import Iterator

from labeling.domain.answers import final_answer
from labeling.domain.formats.fields import checked, statement_of, steps_of, text_of
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
from labeling.domain.labels import LabelerKind, first_error_of

TAG = "ки"
SOURCE = Source(LabelerKind.MC, "Math-Shepherd")
DIRTY = "a step tag stands within the problem: taken out"
_START = "Step 1:"


def fits(row: Row) -> bool:
    """Say whether the row is a tagged text with its twin that has labels in place of the tags."""
    return (
        isinstance(row.get("input"), str)
        and isinstance(row.get("label"), str)
        and TAG in row["input"]
    )


def read(row: Row, reading: Reading) -> Iterator[ImportRow]:  # noqa: ARG001 - every reader's
    """Read one solution; its hard labels have no counts. Tags before "Step 1:" label nothing."""
    pieces, marks = _pieces(_whole(row, "input"), _whole(row, "label"))
    start = next((index for index, piece in enumerate(pieces) if _START in piece), None)
    if start is None:
        raise RowError("input: holds no “{start}”", start=_START)
    head, _, first = pieces[start].rpartition(_START)
    problem = {"input": "".join([*pieces[:start], head]).strip()}
    steps = steps_of(
        [step.strip() for step in (_START + first, *pieces[start + 1 : len(marks)])], "input"
    )
    labels = tuple(1 if mark == "+" else -1 for mark in marks[start:])
    yield ImportRow(
        ProblemRow(statement_of(problem, "input"), source=_source(row)),
        SolutionRow(
            steps=steps,
            gaps=("", *["\n"] * (len(steps) - 1), ""),
            final_answer=final_answer(steps[-1]),
            verdicts=(GivenVerdict(SOURCE, first_error_of(labels), labels),),
        ),
        notes=(DIRTY,) if start else (),
    )


def _pieces(tagged: str, labeled: str) -> tuple[list[str], list[str]]:
    """Return the texts between the tags, and the label in place of each tag."""
    pieces = tagged.split(TAG)
    marks, at = [], 0
    for number, piece in enumerate(pieces[:-1], start=1):
        at += len(piece)
        mark = labeled[at : at + 1]
        if mark not in ("+", "-"):
            raise RowError("label: has no + or - in place of tag {number}", number=number)
        marks.append(mark)
        at += 1
    if pieces[-1].strip():
        raise RowError("input: text follows the last tag")
    if not labeled.startswith(pieces[0]):
        raise RowError("label: is not the text of the input")
    return pieces, marks


def _whole(row: Row, name: str) -> str:
    """Return the whole tagged text; its problem and steps have the limits of their own."""
    return row[name] if len(row[name]) > 1000 else checked(row[name], name)


def _source(row: Row) -> str:
    task = text_of(row, "task")
    return f"Math-Shepherd/{task}" if task else "Math-Shepherd"
