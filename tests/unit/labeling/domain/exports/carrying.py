"""Draw solutions, write them in a format and read them back as an import does."""

from __future__ import annotations

import json

from hypothesis import assume
from hypothesis import strategies as st

from labeling.domain import formats
from labeling.domain.exports import NotCarried, format_named
from labeling.domain.release_rows import Picked, Speaker, Writer
from labeling.domain.releases import Rule, Target

SPEAKERS = {1: Speaker("human:ab"), 2: Speaker("mc:cd", "soft"), 3: Speaker("judge:ef")}
TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=30
).filter(str.strip)
TIDY = TEXT.map(str.strip).filter(bool)


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
    return Picked(
        "ab" * 16, "train", "cd" * 16, draw(texts), steps, error, labels, k, n, 2,
        draw(st.sampled_from((True, False, None))), "consensus", [3, 1], 4, draw(TIDY), draw(TIDY),
        draw(TIDY), draw(TIDY), draw(TIDY), draw(TIDY), draw(TIDY), None, None,
    )  # fmt: skip


def native(row, **rule):
    line = Writer(Rule(**rule), SPEAKERS).line(row)
    return json.loads(line.data)


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
