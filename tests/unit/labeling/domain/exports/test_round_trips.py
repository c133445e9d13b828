"""Import(export(x)) = x, for every x that a format can carry; what it cannot is refused or said."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from labeling.domain.exports import NotCarried, format_named
from labeling.domain.exports.rows import BARE, CUT, GAP
from labeling.domain.exports.shepherd import NUMBERED
from labeling.domain.release_rows import Tally
from labeling.domain.releases import AfterError, Target
from tests.unit.labeling.domain.exports.carrying import (
    TIDY,
    Row,
    carried,
    native,
    picked,
    read,
    rendered,
)
from trainer.records import from_json, to_json


@given(
    picked(),
    st.sampled_from(AfterError),
    st.sampled_from(Target),
    st.sampled_from((1, 0, None)),
    st.sampled_from((None, "It is 4.\n\u2028\x7f\x1b")),
)
def test_a_line_is_that_of_its_record_byte_for_byte(row, after, target, neutral, critique):
    row = row._replace(critique=critique, critic=critique and 3)
    line, frame = rendered(row, after_error=after, target=target, neutral_as=neutral)
    record = from_json(line.decode())
    assert (to_json(record) + "\n").encode() == line
    labels = record.labels
    assert frame.one == Tally(
        1, len(labels), labels.count(1), labels.count(0), labels.count(None),
        record.first_error == -1, True, critique is not None, False,
    )  # fmt: skip


@given(picked())
def test_native_rows_come_back_with_all_but_who_labeled(row):
    problem, solution, _ = read("record", native(row))
    assert problem == (row.statement, row.answer, row.problem_name, row.source, row.licence)
    assert solution.steps == tuple(row.steps)
    assert solution.external_id == row.solution_name
    assert (solution.generator, solution.final_answer) == (row.generator, row.final_answer)
    assert solution.final_answer_correct is row.final_answer_correct
    (verdict,) = solution.verdicts
    assert verdict.first_error == row.first_error
    assert verdict.step_labels == tuple(row.step_labels)
    assert verdict.counts == tuple(zip(row.mc_k, row.mc_n, strict=True))


@given(picked())
def test_trl_carries_the_steps_up_to_the_first_error(row):
    written = carried("trl", row)
    problem, solution, _ = read("trl", written.row)
    kept = len(row.steps) if row.first_error < 0 else row.first_error + 1
    assert (written.note == CUT) is (kept < len(row.steps))
    assert problem.statement == row.statement
    assert solution.steps == tuple(row.steps[:kept])
    assert solution.verdicts[0].first_error == row.first_error


@given(picked())
def test_trl_carries_every_step_where_those_after_the_error_are_wrong(row):
    written = carried("trl", row, after_error=AfterError.WRONG)
    _, solution, _ = read("trl", written.row)
    assert written.note == ""
    assert solution.steps == tuple(row.steps)
    assert solution.verdicts[0].first_error == row.first_error


@given(picked())
def test_trl_carries_soft_labels_as_shares(row):
    written = carried("trl", row, target=Target.SOFT)
    kept = len(written.row["labels"])
    assert written.row["labels"] == [k / n for k, n in zip(row.mc_k, row.mc_n)][:kept]  # noqa: B905


@given(picked(TIDY))
def test_math_shepherd_carries_numbered_steps(row):
    steps = [f"Step {number}: {step}" for number, step in enumerate(row.steps, start=1)]
    assume("Step 1:" not in row.statement + row.steps[0])
    row = row._replace(steps=steps)
    written = carried("math-shepherd", row, after_error=AfterError.WRONG)
    problem, solution, notes = read("math-shepherd", written.row)
    assert (written.note, notes) == ("", ())
    assert problem.statement == row.statement
    assert solution.steps == tuple(steps)
    assert solution.verdicts[0].first_error == row.first_error


@given(picked())
def test_prm800k_carries_ratings_and_the_whole_solution(row):
    written = carried("prm800k", row)
    problem, solution, _ = read("prm800k", json.loads(json.dumps(written.row)))
    assert (problem.statement, problem.answer) == (row.statement, row.answer)
    assert solution.steps == tuple(row.steps)
    assert solution.final_answer == row.final_answer
    (verdict,) = solution.verdicts
    rated = len(row.steps) if row.first_error < 0 else row.first_error + 1
    assert verdict.first_error == row.first_error
    assert verdict.step_labels[:rated] == tuple(row.step_labels[:rated])


@given(picked())
def test_processbench_carries_the_first_error(row):
    row = row._replace(source="ProcessBench/gsm8k", solution_name="gsm8k-7")
    problem, solution, _ = read("processbench", carried("processbench", row).row)
    assert (problem.statement, problem.source) == (row.statement, row.source)
    assert solution.steps == tuple(row.steps)
    assert (solution.generator, solution.external_id) == (row.generator, "gsm8k-7")
    assert solution.final_answer_correct is row.final_answer_correct
    assert solution.verdicts[0].first_error == row.first_error


@given(picked())
def test_qwen_messages_hold_one_mark_for_each_label(row):
    written = carried("qwen", row).row
    system, user, assistant = (message["content"] for message in written["messages"])
    assert system.startswith("Please reason step by step")
    assert user == row.statement
    assert assistant.split("<extra_0>") == [*row.steps, ""]
    assert written["labels"] == native(row)["labels"]


CRITIQUE = "<analysis_1>\nFine.\n</analysis_1>\n\n<analysis_2>\n1 + 1 is 2.\n</analysis_2>\n\n"
CRITIQUE += "<conclusion>\nIncorrect\n</conclusion>"
ROW = Row(
    "1 + 1?", ["Add.", "3"], 1, [1, -1], [], [], None, False, (3,), "m", "3", "2", "ours", "", "",
    "", CRITIQUE, 3,
)  # fmt: skip


def test_a_judges_chain_is_the_question_and_the_words_whose_verdict_is_the_rows():
    written = format_named("judge-chains").write(native(ROW), False).row
    question, answer = written["messages"]
    assert question["role"] == "user"
    assert "<paragraph_2>\n3\n</paragraph_2>" in question["content"]
    assert answer == {"role": "assistant", "content": CRITIQUE}
    assert (written["labels"], written["first_error"]) == ([1, 0], 1)
    assert (written["template"], written["judge"]) == ("paper-v1", "judge:ef")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("judge-chains", {"critique": None, "critic": None}),
        ("judge-chains", {"critique": "It looks right."}),
        ("judge-chains", {"critique": CRITIQUE, "first_error": 0, "step_labels": [-1, None]}),
        ("qwen", {"steps": ["a<extra_0>", "b"]}),
        ("math-shepherd", {"steps": ["какими ки", "b"]}),
        ("math-shepherd", {"statement": "What is Step 1: here?"}),
        ("math-shepherd", {"steps": ["Go back to Step 1: it is fine", "b"]}),
    ],
)
def test_what_a_format_cannot_hold_is_refused_with_a_reason(name, change):
    with pytest.raises(NotCarried, match=r"\w"):
        format_named(name).write(native(ROW._replace(**change)), False)


def test_a_step_without_loss_among_labeled_ones_is_a_gap():
    row = ROW._replace(first_error=-1, step_labels=[0, 1])
    with pytest.raises(NotCarried, match=GAP):
        format_named("trl").write(native(row, neutral_as=None), False)
    row = ROW._replace(first_error=-1, step_labels=[0, 0])
    with pytest.raises(NotCarried, match=BARE):
        format_named("trl").write(native(row, neutral_as=None), False)


def test_steps_that_do_not_say_their_number_are_numbered_for_math_shepherd():
    written = format_named("math-shepherd").write(native(ROW), False)
    assert written.row["input"] == "1 + 1? Step 1: Add. ки\nStep 2: 3 ки"
    assert written.row["label"] == "1 + 1? Step 1: Add. +\nStep 2: 3 -"
    assert written.note == NUMBERED
