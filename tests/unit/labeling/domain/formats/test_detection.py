from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeling.domain.formats import FORMATS, ImportRow, Reading, RowError, detect, read_row
from labeling.domain.formats.mapping import FIELDS, as_native
from labeling.domain.labels import check_labels
from tests.format_rows import OMEGAPRM_FLAT, PRM800K_PHASE2, ROWS

TRUE_FILES = {
    "prm800k/openr_samples_prm800k.jsonl": "prm800k",
    "math_shepherd/openr_samples_math-shepherd.jsonl": "math-shepherd",
    "trl_stepwise/docs_example.jsonl": "trl",
    "omegaprm_mc/openr_samples_math-aps.jsonl": "omegaprm",
    "omegaprm_mc/openr_samples_math-aps-tree.jsonl": "omegaprm",
    "bigbench_mistake/word_sorting.jsonl": "bigbench-mistake",
    "prmbench/prm800k_test_p1_4o_circular.jsonl": "prmbench",
    "gsm8k/test.jsonl": "gsm8k",
    "math500/test500.jsonl": "math",
}


def test_every_format_has_a_row_here():
    assert set(ROWS) == {form.name for form in FORMATS}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_told_by_its_fields(name):
    found = detect([ROWS[name]])
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(("file", "name"), TRUE_FILES.items())
def test_the_publishers_own_rows_are_told_apart(shared_data, file, name):
    lines = (shared_data / "original_formats" / file).read_text().splitlines()
    rows = [json.loads(line) for line in lines if line.strip()]
    found = detect(rows)
    assert found is not None
    assert found.name == name
    for row in rows:
        assert list(read_row(row, Reading(), found))


def test_most_rows_decide():
    rows = [ROWS["trl"], ROWS["gsm8k"], ROWS["trl"], "no row", {"x": 1}]
    assert detect(rows).name == "trl"
    assert detect([{"x": 1}, 3]) is None


def test_a_row_of_another_format_than_the_files_is_refused():
    form = detect([ROWS["trl"]])
    with pytest.raises(
        RowError, match="no row of TRL stepwise; the row's fields: answer, question"
    ):
        list(read_row(ROWS["gsm8k"], Reading(), form))


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 5)
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["ки", "Step 1: a ки", "N/A", "+", "Step 2", "\x00", "\ud800", "9" * 5000]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """Draw a good row of some format in which some values are replaced, dropped or added."""
    rows = [*ROWS.values(), PRM800K_PHASE2, OMEGAPRM_FLAT]
    return _damage(draw, draw(st.sampled_from(rows)))


def _damage(draw: st.DrawFn, value: Any) -> Any:
    if draw(st.integers(0, 11)) == 0:
        return draw(VALUES)
    if isinstance(value, dict):
        return {k: _damage(draw, v) for k, v in value.items() if draw(st.integers(0, 19)) > 0}
    if isinstance(value, list):
        return [_damage(draw, v) for v in value]
    return value


def check_row(row: ImportRow) -> None:
    """Fail unless the database could hold the row."""
    assert row.problem.statement.strip()
    if row.solution is None:
        assert row.problem.answer
        return
    texts = [*row.solution.steps, *row.solution.gaps, row.problem.statement, row.problem.answer]
    texts += [row.solution.external_id, row.solution.generator, row.solution.final_answer or ""]
    for verdict in row.solution.verdicts:
        texts += [verdict.source.name, verdict.critique, verdict.reason]
        count = len(row.solution.steps)
        if verdict.state == "scored":
            assert verdict.first_error is not None
            assert -1 <= verdict.first_error < count
            check_labels(verdict.step_labels, count)
        else:
            assert verdict.reason
        assert verdict.step_scores == () or len(verdict.step_scores) == count
        assert verdict.counts == () or len(verdict.counts) == count
        assert verdict.seconds >= 0
    for text in texts:
        assert "\x00" not in text
        text.encode()


@settings(max_examples=600)
@given(damaged())
def test_a_damaged_row_is_read_as_something_sound_or_refused(row):
    for form in (None, *FORMATS):
        try:
            for found in read_row(row, Reading(), form):
                check_row(found)
        except RowError:
            continue


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(FIELDS), VALUES))
def test_any_mapped_row_is_read_or_refused(row):
    try:
        native = as_native(row, {name: name for name in FIELDS})
        for found in read_row(native, Reading()):
            check_row(found)
    except RowError:
        return
