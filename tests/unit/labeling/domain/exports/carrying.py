"""Draw solutions, write them in a format and read them back as an import does."""

from __future__ import annotations

import json
from typing import NamedTuple

from hypothesis import assume
from hypothesis import strategies as st

from labeling.domain import formats
from labeling.domain.exports import NotCarried, format_named
from labeling.domain.release_rows import Said, Speaker, Writer
from labeling.domain.releases import Rule, Target

SPEAKERS = {1: Speaker("human:ab"), 2: Speaker("mc:cd", "soft"), 3: Speaker("judge:ef")}
TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=30
).filter(str.strip)
TIDY = TEXT.map(str.strip).filter(bool)


class Row(NamedTuple):
    """A solution with its labels, as it is stored."""

    statement: str
    steps: list
    first_error: int
    step_labels: list
    mc_k: list
    mc_n: list
    mc_labeler: int | None
    final_answer_correct: bool | None
    labelers: tuple
    generator: str
    final_answer: str
    answer: str
    source: str
    licence: str
    problem_name: str
    solution_name: str
    critique: str | None
    critic: int | None


@st.composite
def picked(draw, texts=TEXT):
    """A solution as it is stored, labeled up to its first error or beyond."""
    steps = draw(st.lists(texts, min_size=1, max_size=6))
    error = draw(st.integers(-1, len(steps) - 1))
    before = len(steps) if error < 0 else error
    labels = draw(st.lists(st.sampled_from((1, 0)), min_size=before, max_size=before))
    if error >= 0:
        rest = len(steps) - error - 1
        after = draw(st.lists(st.sampled_from((1, 0, -1, None)), min_size=rest, max_size=rest))
        labels += [-1, *after]
    n = draw(st.lists(st.integers(1, 16), min_size=len(steps), max_size=len(steps)))
    k = [draw(st.integers(0, limit)) for limit in n]
    return Row(
        draw(texts), steps, error, labels, k, n, 2, draw(st.sampled_from((True, False, None))),
        (3, 1), *(draw(TIDY) for _ in range(7)), None, None,
    )  # fmt: skip


def rendered(row, **rule):
    """Return the line of a row and its frame."""
    texts = (
        "ab" * 16, "cd" * 16, row.statement, row.steps, row.answer, row.final_answer, row.generator,
        row.licence, row.problem_name, row.solution_name, row.source, row.critique,
    )  # fmt: skip
    said = Said(
        "train", row.final_answer_correct, row.first_error, tuple(row.step_labels),
        tuple(row.mc_k), tuple(row.mc_n), row.mc_labeler, "consensus", row.labelers, 4, row.critic,
    )  # fmt: skip
    return Writer(Rule(**rule), SPEAKERS).line(texts, said)


def native(row, **rule):
    return json.loads(rendered(row, **rule)[0])


def read(name, written):
    """Read as an import does: the format is told by the row's fields."""
    found = formats.detect([written])
    assert found is not None
    assert found.name == name
    (imported,) = formats.read_row(written, formats.Reading())
    return imported


def carried(name, row, **rule):
    soft = rule.get("target") is Target.SOFT
    try:
        return format_named(name).write(native(row, **rule), soft)
    except NotCarried:
        assume(False)
