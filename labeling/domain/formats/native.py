"""The native format, ProcessBench, and problems as GSM8K and MATH write them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from labeling.domain.answers import final_answer
from labeling.domain.formats.fields import (
    ID_LIMIT,
    TEXT_LIMIT,
    first_error_in,
    id_of,
    labels_in,
    statement_of,
    steps_of,
    text_of,
    truth_of,
)
from labeling.domain.formats.rows import (
    SOMEONE,
    GivenVerdict,
    ImportRow,
    ProblemRow,
    Reading,
    Row,
    RowError,
    SolutionRow,
    Source,
)
from labeling.domain.labels import NO_ERROR, LabelerKind, labels_up_to
from labeling.domain.steps import EmptyText, split

PROCESSBENCH = Source(LabelerKind.HUMAN, "ProcessBench")
_PROCESSBENCH_FIELDS = {"id", "generator", "problem", "steps", "final_answer_correct", "label"}
_NATIVE_FIELDS = {"answer", "source", "licence", "labelled_by", "problem_id", "solution_id"}


def fits_native(row: Row) -> bool:
    """Say whether the row is a problem, alone or with a solution."""
    return "problem" in row


def read_native(row: Row, reading: Reading) -> Iterator[ImportRow]:
    """Read `problem` with `steps` or a `response`, or alone with its `answer`."""
    if (plain := _plain(row)) is not None:
        yield plain
        return
    name = text_of(row, "labelled_by")
    source = _person(name) if name else SOMEONE
    solution = _solution(row, reading, source)
    yield _checked(ImportRow(_problem(row, alone=solution is None), solution))


_TEXTS = (
    "problem", "answer", "source", "licence", "problem_id", "generator", "solution_id",
    "labelled_by",
)  # fmt: skip
_TEXT = frozenset({str, type(None)})


def _plain(row: Row) -> ImportRow | None:
    """Read the usual row at once, whose texts a look at them together shows to be fine.

    None where each is to be looked at by itself: the result is the same then, or an error.
    """
    texts = [*map(row.get, _TEXTS)]
    if row.get("steps") is None or not _TEXT.issuperset(map(type, texts)):
        return None
    whole = "".join(filter(None, texts))
    if len(whole) > TEXT_LIMIT or not whole.isascii() or "\x00" in whole:
        return None
    statement, answer, origin, licence, problem_id, generator, solution_id, name = texts
    if not solution_id or not statement or not statement.strip():
        return None
    steps = steps_of(row["steps"])
    source = _person(name) if name else SOMEONE
    return ImportRow(
        ProblemRow(
            statement,
            answer.strip() if answer else "",
            problem_id[:ID_LIMIT] if problem_id else "",
            origin or "",
            licence or "",
        ),
        SolutionRow(
            steps=steps,
            external_id=solution_id[:ID_LIMIT],
            generator=generator or "",
            final_answer=final_answer(steps[-1]),
            final_answer_correct=truth_of(row, "final_answer_correct"),
            verdicts=_verdicts(row, len(steps), source),
        ),
    )


@lru_cache(maxsize=256)
def _person(name: str) -> Source:
    return Source(LabelerKind.HUMAN, name)


def fits_processbench(row: Row) -> bool:
    """Say whether the row has ProcessBench's fields and none that only native rows have."""
    return set(row) >= _PROCESSBENCH_FIELDS and not _NATIVE_FIELDS & set(row)


def read_processbench(row: Row, reading: Reading) -> Iterator[ImportRow]:
    """Read a solution with its experts' first error; the id says which of the four sets."""
    subset = text_of(row, "id").rpartition("-")[0]
    problem = ProblemRow(
        statement_of(row, "problem"), source=f"ProcessBench/{subset}" if subset else ""
    )
    yield _checked(ImportRow(problem, _solution(row, reading, PROCESSBENCH)))


def fits_gsm8k(row: Row) -> bool:
    """Say whether the row is a question with a worked answer."""
    return isinstance(row.get("question"), str) and "answer" in row


def read_gsm8k(row: Row, reading: Reading) -> Iterator[ImportRow]:  # noqa: ARG001 - every reader's
    """Read a problem; its reference answer follows `####`, or is the whole answer."""
    worked = text_of(row, "answer")
    answer = final_answer(worked) if "####" in worked else worked
    yield _checked(
        ImportRow(
            ProblemRow(
                statement=statement_of(row, "question"),
                answer=(answer or "").strip(),
                external_id=id_of(row, "problem_id", "external_id", "id"),
                source=text_of(row, "source") or "GSM8K",
                licence=text_of(row, "licence"),
            )
        )
    )


def fits_math(row: Row) -> bool:
    """Say whether the row is a problem with a worked solution and nothing to label."""
    return "problem" in row and "solution" in row and not {"steps", "response"} & set(row)


def read_math(row: Row, reading: Reading) -> Iterator[ImportRow]:  # noqa: ARG001 - every reader's
    r"""Read a problem; without an `answer` the worked solution's last \boxed{} is it."""
    problem = _problem(row, alone=True)
    answer = problem.answer or final_answer(text_of(row, "solution")) or ""
    yield _checked(ImportRow(problem._replace(answer=answer)))


def _problem(row: Row, *, alone: bool) -> ProblemRow:
    own = ("external_id", "id", "unique_id") if alone else ()
    return ProblemRow(
        statement=statement_of(row, "problem"),
        answer=text_of(row, "answer").strip(),
        external_id=id_of(row, "problem_id", *own),
        source=text_of(row, "source"),
        licence=text_of(row, "licence"),
    )


def _solution(row: Row, reading: Reading, source: Source) -> SolutionRow | None:
    gaps: tuple[str, ...] = ()
    if row.get("steps") is not None:
        steps = steps_of(row["steps"])
    elif row.get("response") is not None:
        try:
            parts = split(text_of(row, "response"), reading.rule)
        except EmptyText as error:
            raise RowError("response: {error}", error=error) from error
        steps, gaps = steps_of(parts.parts, "response"), parts.gaps
    else:
        return None
    return SolutionRow(
        steps=steps,
        gaps=gaps,
        external_id=id_of(row, "solution_id", "external_id", "id", "unique_id"),
        generator=text_of(row, "generator"),
        final_answer=final_answer(steps[-1]),
        final_answer_correct=truth_of(row, "final_answer_correct"),
        verdicts=_verdicts(row, len(steps), source),
    )


def _verdicts(row: Row, step_count: int, source: Source) -> tuple[GivenVerdict, ...]:
    label, labels = row.get("label"), row.get("step_labels")
    if type(label) is int and type(labels) is list and _LABELS.issuperset(map(type, labels)):
        return _usual_verdicts(label, tuple(labels), step_count, source)
    return _verdicts_of(label, labels, step_count, source)


_LABELS = frozenset({int, type(None)})


def _verdicts_of(
    label: Any, given_labels: Any, step_count: int, source: Source
) -> tuple[GivenVerdict, ...]:
    first = first_error_in(label, step_count, "label")
    if first is None:
        return ()
    if given_labels is None:
        return (GivenVerdict(source, first, labels_up_to(first, step_count)),)
    labels = labels_in(given_labels, step_count, "step_labels")
    if (labels.index(-1) if -1 in labels else NO_ERROR) != first:
        raise RowError("step_labels: the first wrong step is not the label's, {first}", first=first)
    return (GivenVerdict(source, first, labels),)


_usual_verdicts = lru_cache(maxsize=1024)(_verdicts_of)
"""The same of an int and a tuple of ints and None: checked once, and one object on its way on."""


def _checked(row: ImportRow) -> ImportRow:
    if row.solution is None and not row.problem.answer:
        raise RowError(
            "answer: the problem has no reference answer, and no solution to label comes with it"
        )
    return row
