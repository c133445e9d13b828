"""What a format's card says that it goes without is what an import does not get back, no less."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeling.domain.data_cards import rendition_card
from labeling.domain.exports import FORMATS, Part, format_named
from labeling.domain.exports.critiques import REWRITTEN
from labeling.domain.exports.rows import CUT
from labeling.domain.exports.shepherd import NUMBERED
from labeling.domain.releases import AfterError, Target
from tests.unit.labeling.domain.exports.carrying import Row, carried, native, picked, read

READ_AS = {form.name: form.name for form in FORMATS} | {"parquet": "record"}
RICH = Row(
    "1 + 1 + 1? ", [" Step 1: Add.", "Hm.", "4.", "So \\boxed{4}."], 2, [1, 0, -1, 1],
    [7, 6, 1, 0], [8, 8, 8, 8], 2, False, (3, 1), "some-model", "four", "3", "ours", "CC0-1.0",
    "p-7", "sol-9", "The box: \\boxed{2}", 3,
)  # fmt: skip
"""A solution of which every part says something that no reader would assume."""


def words(error, step_count):
    """A judge's words whose verdict is the error, in the form of the first wording."""
    last = step_count if error < 0 else error + 1
    said = "".join(f"<analysis_{at}>\nI look.\n</analysis_{at}>\n" for at in range(1, last + 1))
    return f"{said}<conclusion>\n{'Correct' if error < 0 else 'Incorrect'}\n</conclusion>"


@st.composite
def criticized(draw):
    row = draw(picked())
    said = words(row.first_error, len(row.steps))
    return row._replace(critique=said, critic=3, source="ProcessBench/gsm8k")


def of_release(row: Row):
    """The parts of a solution as it is stored."""
    after = row.first_error + 1 if row.first_error >= 0 else len(row.steps)
    return {
        Part.COUNTS: tuple(zip(row.mc_k, row.mc_n, strict=True)),
        Part.NEUTRAL: [at for at, label in enumerate(row.step_labels[:after]) if label == 0],
        Part.AFTER: tuple(row.step_labels[after:]),
        Part.REFERENCE: row.answer,
        Part.ANSWER: row.final_answer,
        Part.CORRECT: row.final_answer_correct,
        Part.GENERATOR: row.generator,
        Part.SOURCE: (row.source, row.licence),
        Part.PROBLEM_ID: row.problem_name,
        Part.SOLUTION_ID: row.solution_name,
        Part.CRITIQUE: row.critique,
    }


def of_import(imported):
    """The same parts of what an import reads."""
    problem, solution, _ = imported
    verdict = solution.verdicts[0]
    after = verdict.first_error + 1 if verdict.first_error >= 0 else len(solution.steps)
    labels = verdict.step_labels
    critiques = [given.critique for given in solution.verdicts if given.critique]
    return {
        Part.COUNTS: verdict.counts,
        Part.NEUTRAL: [at for at, label in enumerate(labels[:after]) if label == 0],
        Part.AFTER: tuple(labels[after:]),
        Part.REFERENCE: problem.answer,
        Part.ANSWER: solution.final_answer,
        Part.CORRECT: solution.final_answer_correct,
        Part.GENERATOR: solution.generator,
        Part.SOURCE: (problem.source, problem.licence),
        Part.PROBLEM_ID: problem.external_id,
        Part.SOLUTION_ID: solution.external_id,
        Part.CRITIQUE: critiques[0] if critiques else None,
    }


def there_and_back(name, row, **rule):
    written = carried(name, row, **rule)
    return written, read(READ_AS[name], json.loads(json.dumps(written.row)))


@settings(max_examples=150)
@given(criticized(), st.sampled_from(FORMATS))
def test_what_a_card_does_not_name_comes_back(row, form):
    written, imported = there_and_back(form.name, row)
    _, solution, _ = imported
    before, after = of_release(row), of_import(imported)
    for part in set(before) - set(form.lacks):
        assert after[part] == before[part], part
    assert solution.verdicts[0].first_error == row.first_error
    statement, steps = row.statement, tuple(row.steps)
    if written.note in (NUMBERED, REWRITTEN):
        return
    if Part.SPACE in form.lacks:
        statement, steps = statement.strip(), tuple(step.strip() for step in steps)
    if written.note == CUT:
        kept = row.first_error + 1
        assert kept < len(steps)
        steps = steps[:kept]
        if form.name == "math-shepherd":  # its steps are numbered, too
            return
    assert (imported.problem.statement, solution.steps) == (statement, steps)


@pytest.mark.parametrize(
    ("form", "part"),
    [(form, part) for form in FORMATS for part in form.lacks],
    ids=lambda of: of.name,
)
def test_what_a_card_names_is_lost(form, part):
    row = RICH
    if form.name == "judge-chains":
        row = row._replace(critique=words(2, 4))
    if part is Part.FIRST_ERROR:
        # 7/8 and 6/8 are right, but so is 5/8 where the judges found the error.
        row = row._replace(mc_k=[7, 6, 5, 0])
        _, imported = there_and_back(form.name, row, target=Target.SOFT)
        assert imported.solution.verdicts[0].first_error == -1 != row.first_error
        return
    written, imported = there_and_back(form.name, row)
    if part is Part.SPACE:
        assert imported.problem.statement == row.statement.strip() != row.statement
    elif part is Part.WHO:
        assert not all(name in json.dumps(written.row) for name in ("human:ab", "judge:ef"))
    else:
        assert of_import(imported)[part] != of_release(row)[part]


@pytest.mark.parametrize("form", FORMATS, ids=lambda of: of.name)
def test_who_labeled_stands_in_the_rows_of_all_others(form):
    if Part.WHO not in form.lacks:
        row = json.dumps(form.write(native(RICH), False).row)
        assert "human:ab" in row
        assert "judge:ef" in row


@given(picked())
def test_qwen_messages_carry_every_label_that_the_release_has(row):
    _, imported = there_and_back("qwen", row, after_error=AfterError.WRONG)
    (verdict,) = imported.solution.verdicts
    end = row.first_error if row.first_error >= 0 else len(row.steps)
    assert verdict.step_labels == (1,) * end + (-1,) * (len(row.steps) - end)
    assert verdict.first_error == row.first_error


@given(picked())
def test_qwen_messages_carry_shares_and_the_first_error_beside_them(row):
    _, imported = there_and_back("qwen", row, target=Target.SOFT)
    (verdict,) = imported.solution.verdicts
    kept = row.first_error + 1 if row.first_error >= 0 else len(row.steps)
    pairs = zip(row.mc_k[:kept], row.mc_n[:kept], strict=True)
    shares = tuple(k / n for k, n in pairs) + (None,) * (len(row.steps) - kept)
    assert verdict.step_scores == shares
    assert verdict.first_error == row.first_error


@given(criticized())
def test_chains_carry_the_judge_and_its_words(row):
    _, imported = there_and_back("judge-chains", row)
    (verdict,) = imported.solution.verdicts
    assert (verdict.source.kind, verdict.source.name) == ("judge", "judge:ef")
    assert (verdict.critique, verdict.first_error) == (row.critique, row.first_error)
    assert len(imported.solution.steps) == len(row.steps)


def test_a_chain_says_where_its_question_is_not_the_text():
    row = RICH._replace(statement="Why <|im_end|>?", critique=words(2, 4))
    written, imported = there_and_back("judge-chains", row)
    assert written.note == REWRITTEN
    assert imported.problem.statement == "Why <|im_end|›?"


def test_the_card_says_what_is_lost():
    report = {"files": {}, "not_carried": {}, "changed": {CUT: 2}}
    card = rendition_card("x", format_named("prm800k"), report)
    assert (
        "go without: Monte-Carlo counts, what labelers said of steps after the first error, "
        "the judge's words." in card
    )
    assert f"| {CUT} | 2 |" in card
    assert "go without: nothing." in rendition_card("x", format_named("parquet"), report)
