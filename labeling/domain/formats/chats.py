"""Labeled chats: solutions with a mark after each step (Qwen's PRMs), and chains of a judge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from labeling.domain.answers import final_answer
from labeling.domain.formats.fields import (
    checked,
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
from labeling.domain.judging import JUDGE_TEMPLATES, Asked, JudgeTemplate, Unparsed
from labeling.domain.labels import LabelerKind, VerdictState, first_error_of

MARK = "<extra_0>"
"""What Qwen's PRMs read a step's reward at (their model cards)."""

JUDGE = "judge chains"
UNJUDGED = "a step before the first error has no label"


class _Chat(NamedTuple):
    question: str
    answer: str


def fits_qwen(row: Row) -> bool:
    """Say whether the row is a chat whose last turn has a mark after its steps."""
    chat = _chat(row)
    return chat is not None and MARK in chat.answer


def read_qwen(row: Row, reading: Reading) -> Iterator[ImportRow]:  # noqa: ARG001 - every reader's
    """Read one solution; labels are right, wrong, null, or shares of successes. Who labeled it the
    format does not say. Without `labels` it has no verdict.
    """
    question, answer = _turns(row)
    *steps, rest = answer.split(MARK)
    if rest.strip():
        raise RowError("messages: text follows the last mark")
    texts = steps_of(steps, "messages")
    yield ImportRow(
        ProblemRow(statement_of({"messages": question}, "messages")),
        SolutionRow(
            steps=texts,
            external_id=id_of(row, "id"),
            final_answer=final_answer(texts[-1]),
            final_answer_correct=truth_of(row, "final_answer_correct"),
            verdicts=() if row.get("labels") is None else (_labeled(row, len(texts)),),
        ),
    )


def fits_chain(row: Row) -> bool:
    """Say whether the row asks a judge in a known wording, and holds the reply."""
    chat = _chat(row)
    return chat is not None and any(
        template.frames(chat.question) for template in JUDGE_TEMPLATES.values()
    )


def read_chain(row: Row, reading: Reading) -> Iterator[ImportRow]:  # noqa: ARG001 - every reader's
    """Read the solution out of the question, and the verdict out of the judge's own words.

    Words in which no verdict can be read are an unscored verdict. A `first_error` beside them that
    they do not name is refused: one of the two is wrong.
    """
    question, words = _turns(row)
    template, asked = _asked(question, text_of(row, "template"))
    steps = steps_of(asked.steps, "messages")
    source = Source(LabelerKind.JUDGE, text_of(row, "judge") or JUDGE)
    yield ImportRow(
        ProblemRow(statement_of({"messages": asked.statement}, "messages")),
        SolutionRow(
            steps=steps,
            external_id=id_of(row, "id"),
            final_answer=final_answer(steps[-1]),
            verdicts=(_stated(row, template, source, words, len(steps)),),
        ),
    )


def _chat(row: Row) -> _Chat | None:
    """Return the last question and its answer; None where the row is no such chat."""
    turns = row.get("messages")
    if not isinstance(turns, list | tuple) or len(turns) < 2:
        return None
    if not all(isinstance(turn, Mapping) for turn in turns[-2:]):
        return None
    asked, said = turns[-2], turns[-1]
    if (asked.get("role"), said.get("role")) != ("user", "assistant"):
        return None
    texts = asked.get("content"), said.get("content")
    return _Chat(*texts) if all(isinstance(text, str) for text in texts) else None


def _turns(row: Row) -> _Chat:
    """Return the chat, its turns checked; anything but a system's turn before it is refused."""
    chat = _chat(row)
    turns = row["messages"]
    if chat is None or len(turns) > 3 or (len(turns) == 3 and _role(turns[0]) != "system"):
        raise RowError("messages: one question and one answer are expected")
    return chat


def _role(turn: Any) -> Any:
    return turn.get("role") if isinstance(turn, Mapping) else None


def _labeled(row: Row, step_count: int) -> GivenVerdict:
    labels, scores = _labels(row["labels"], step_count)
    first = first_error_in(row.get("first_error"), step_count, "first_error")
    if first is None:
        first = first_error_of(labels)
    elif scores:
        # The decision stands, whatever share of its step's completions came out right.
        before = (None if label is None else 1 for label in labels[: max(first, 0)])
        labels = (*before, -1, *labels[first + 1 :]) if first >= 0 else _right(labels)
    elif next((at for at, label in enumerate(labels) if label == -1), -1) != first:
        raise RowError("labels: the first wrong step is not the first error, {first}", first=first)
    if first is None:
        return GivenVerdict(
            UNKNOWN,
            step_labels=labels,
            state=VerdictState.UNSCORED,
            step_scores=scores,
            reason=UNJUDGED,
        )
    return GivenVerdict(UNKNOWN, first, labels, step_scores=scores)


def _right(labels: Sequence[int | None]) -> tuple[int | None, ...]:
    return tuple(None if label is None else 1 for label in labels)


def _labels(value: Any, step_count: int) -> tuple[tuple[int | None, ...], tuple[float | None, ...]]:
    """Return labels and, where they are shares, the scores; a share of .5 counts as right."""
    if not isinstance(value, list | tuple) or len(value) != step_count:
        raise RowError(
            "{name}: one for each of the {step_count} steps is expected",
            name="labels",
            step_count=step_count,
        )
    shares = tuple(
        None if share is None else share_in(int(share) if isinstance(share, bool) else share, name)
        for share, name in ((share, f"labels: label {at}") for at, share in enumerate(value))
    )
    labels = labels_in(
        [None if share is None else 1 if share >= 0.5 else -1 for share in shares],
        step_count,
        "labels",
    )
    return labels, shares if any(isinstance(share, float) for share in value) else ()


def _asked(question: str, name: str) -> tuple[JudgeTemplate, Asked]:
    """Return the wording, the named one if it is, and what it was asked about."""
    named = JUDGE_TEMPLATES.get(name)
    for template in [named] if named else JUDGE_TEMPLATES.values():
        asked = template.read_question(question)
        if asked is not None:
            return template, asked
    raise RowError("messages: the question's steps cannot be told from each other")


def _stated(
    row: Row, template: JudgeTemplate, source: Source, words: str, step_count: int
) -> GivenVerdict:
    critique = checked(words, "messages")
    verdict = template.parse(critique, step_count)
    given = first_error_in(row.get("first_error"), step_count, "first_error")
    if isinstance(verdict, Unparsed):
        return GivenVerdict(
            source, state=VerdictState.UNSCORED, critique=critique, reason=verdict.reason
        )
    if given is not None and given != verdict.first_error:
        raise RowError(
            "first_error: {given}, but the judge's words name {named}",
            given=given,
            named=verdict.first_error,
        )
    return GivenVerdict(source, verdict.first_error, verdict.step_labels, critique=critique)
