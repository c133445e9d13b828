"""Stepwise supervision as TRL has it, and this project's own training records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from labeling.domain.answers import final_answer
from labeling.domain.formats.fields import (
    first_error_in,
    id_of,
    labels_in,
    share_in,
    statement_of,
    steps_of,
    text_of,
    truth_of,
)
from labeling.domain.formats.rows import (
    UNKNOWN,
    GivenVerdict,
    ImportRow,
    ProblemRow,
    Reading,
    Row,
    RowError,
    SolutionRow,
    Source,
)
from labeling.domain.labels import LabelerKind, VerdictState, first_error_of, labels_up_to

UNJUDGED = "a step before the first error has no label"


def fits_trl(row: Row) -> bool:
    """Say whether the row has a prompt, completions and a label for each."""
    return {"prompt", "completions", "labels"} <= set(row) and isinstance(
        row["completions"], list | tuple
    )


def read_trl(row: Row, reading: Reading) -> Iterator[ImportRow]:  # noqa: ARG001 - every reader's
    """Read one solution. Who labeled it the format does not say.

    A label is true or false, or a number from 0 to 1: the score of its step, which counts as right
    from 0.5 on.
    """
    steps = steps_of(row["completions"], "completions")
    labels, scores = _labels(row["labels"], len(steps))
    yield ImportRow(
        ProblemRow(statement_of(row, "prompt")),
        SolutionRow(
            steps=steps,
            final_answer=final_answer(steps[-1]),
            verdicts=(GivenVerdict(UNKNOWN, first_error_of(labels), labels, step_scores=scores),),
        ),
    )


def fits_record(row: Row) -> bool:
    """Say whether the row is a training record (trainer.records)."""
    return {"prompt", "steps", "labels"} <= set(row)


def read_record(row: Row, reading: Reading) -> Iterator[ImportRow]:  # noqa: ARG001 - every reader's
    """Read a training record: labels 1, 0 or null without loss, and the Monte-Carlo counts.

    Of a snapshot's record also what its `sources` keep: ratings as they were given, answers, ids,
    the words of a judge that names the same first error.
    """
    steps = steps_of(row["steps"])
    sources = row.get("sources")
    sources = sources if isinstance(sources, dict) else {}
    labels = _ratings(sources, _record_labels(row["labels"], len(steps)), len(steps))
    first = first_error_in(row.get("first_error"), len(steps), "first_error")
    counts = _counts(row.get("counts"), len(steps))
    if first is None:
        first = first_error_of(labels)
    elif next((i for i, label in enumerate(labels) if label == -1), first) != first:
        raise RowError("labels: the first wrong step is not the first error, {first}", first=first)
    verdict = (
        GivenVerdict(UNKNOWN, first, labels, counts=counts)
        if first is not None
        else GivenVerdict(
            UNKNOWN,
            step_labels=labels,
            state=VerdictState.UNSCORED,
            counts=counts,
            reason=UNJUDGED,
        )
    )
    yield ImportRow(
        ProblemRow(
            statement_of(row, "prompt"),
            text_of(sources, "answer").strip(),
            id_of(sources, "problem"),
            text_of(sources, "source"),
            text_of(sources, "licence"),
        ),
        SolutionRow(
            steps=steps,
            external_id=id_of(sources, "solution") if "solution" in sources else id_of(row, "id"),
            generator=text_of(sources, "generator"),
            final_answer=_final(sources, steps),
            final_answer_correct=truth_of(row, "final_answer_correct"),
            verdicts=(verdict, *_critic(sources, verdict, len(steps))),
        ),
    )


def _critic(sources: Row, verdict: GivenVerdict, step_count: int) -> tuple[GivenVerdict, ...]:
    critique, name = text_of(sources, "critique"), text_of(sources, "critique_by")
    if not critique or not name or verdict.first_error is None:
        return ()
    labels = labels_up_to(verdict.first_error, step_count)
    source = Source(LabelerKind.JUDGE, name)
    return (GivenVerdict(source, verdict.first_error, labels, critique=critique),)


def _labels(value: Any, step_count: int) -> tuple[tuple[int, ...], tuple[float, ...]]:
    labels = _list(value, step_count)
    if all(isinstance(label, bool) or label in (0, 1) for label in labels):
        return tuple(1 if label else -1 for label in labels), ()
    scores = tuple(share_in(label, f"labels: label {i}") for i, label in enumerate(labels))
    return tuple(1 if score >= 0.5 else -1 for score in scores), scores


def _record_labels(value: Any, step_count: int) -> tuple[int | None, ...]:
    meaning = {1: 1, 0: -1, None: None}
    labels = _list(value, step_count)
    for index, label in enumerate(labels):
        if isinstance(label, bool | float | list | dict | str) or label not in meaning:
            raise RowError("labels: label {index} is not one of 1, 0, null", index=index)
    return tuple(meaning[label] for label in labels)


def _ratings(
    sources: Row, labels: tuple[int | None, ...], step_count: int
) -> tuple[int | None, ...]:
    """Return the labels as they were given, where they name the same first error."""
    if not sources.get("ratings"):
        return labels
    ratings = labels_in(sources["ratings"], step_count, "sources.ratings")
    wrong = next((index for index, label in enumerate(labels) if label == -1), None)
    return ratings if wrong == (ratings.index(-1) if -1 in ratings else None) else labels


def _final(sources: Row, steps: tuple[str, ...]) -> str | None:
    if "final_answer" not in sources:
        return final_answer(steps[-1])
    return None if sources["final_answer"] is None else text_of(sources, "final_answer")


def _counts(value: Any, step_count: int) -> tuple[tuple[int, int] | None, ...]:
    if value is None:
        return ()
    pairs = _list(value, step_count, "counts")
    found: list[tuple[int, int] | None] = []
    for index, pair in enumerate(pairs):
        if pair is not None and not (
            isinstance(pair, list | tuple)
            and len(pair) == 2
            and all(isinstance(n, int) and not isinstance(n, bool) for n in pair)
            and 0 <= pair[0] <= pair[1] <= 32_000
        ):
            raise RowError("counts: [k, n] with 0 ≤ k ≤ n is expected at step {index}", index=index)
        found.append(None if pair is None else (pair[0], pair[1]))
    return tuple(found)


def _list(value: Any, step_count: int, name: str = "labels") -> list[Any]:
    if not isinstance(value, list | tuple) or len(value) != step_count:
        raise RowError(
            "{name}: one for each of the {step_count} steps is expected",
            name=name,
            step_count=step_count,
        )
    return list(value)
