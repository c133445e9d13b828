from __future__ import annotations

import pytest

from labeling.domain.formats import RowError, native
from tests.format_rows import GSM8K, MATH, NATIVE, PROCESSBENCH
from tests.unit.labeling.domain.formats.reading import read_one, solution_of, verdict_of


def test_a_gsm8k_row_becomes_a_problem_with_its_final_answer():
    row = read_one(GSM8K)
    assert (row.problem.statement, row.problem.answer) == ("How many eggs?", "9")
    assert (row.problem.source, row.solution) == ("GSM8K", None)


def test_a_processbench_row_becomes_a_solution_with_its_experts_label():
    row = read_one(PROCESSBENCH)
    assert row.problem.source == "ProcessBench/gsm8k"
    solution, verdict = solution_of(PROCESSBENCH), verdict_of(PROCESSBENCH)
    assert (solution.external_id, solution.generator) == ("gsm8k-7", "a-model")
    assert (solution.final_answer, solution.final_answer_correct) == ("7", False)
    assert (verdict.source.kind, verdict.source.name) == ("human", "ProcessBench")
    assert (verdict.first_error, verdict.step_labels) == (0, (-1, None))


def test_a_math_row_takes_the_boxed_answer_of_its_solution():
    row = read_one(MATH)
    assert (row.problem.answer, row.problem.external_id) == (r"\frac{1}{2}", "test/1.json")
    assert read_one({**MATH, "answer": "0.5"}).problem.answer == "0.5"


def test_a_response_given_as_text_is_split_into_steps():
    solution = solution_of({"problem": "P?", "answer": "4", "response": "One.\n\nAnswer: 4"})
    assert solution.steps == ("One.", "Answer: 4")
    pieces = zip(solution.gaps, (*solution.steps, ""), strict=True)
    assert "".join(gap + step for gap, step in pieces) == "One.\n\nAnswer: 4"


def test_labels_of_nobody_in_particular_are_a_persons():
    assert verdict_of(NATIVE).source.name == ""
    named = verdict_of({**NATIVE, "labelled_by": "experts"})
    assert (named.source.kind, named.source.name) == ("human", "experts")


def test_labels_of_each_step_are_taken_where_they_agree_with_the_first_error():
    labeled = {**NATIVE, "steps": ["a", "b", "c"], "label": 2, "step_labels": [1, None, -1]}
    assert verdict_of(labeled).step_labels == (1, None, -1)
    with pytest.raises(RowError, match="not the label's, 1"):
        read_one({**labeled, "label": 1})


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([1], "JSON object"),
        ("text", "JSON object"),
        ({}, "statement is missing"),
        ({"problem": "  "}, "statement is missing"),
        ({"problem": "P?"}, "no reference answer"),
        ({"question": "Q?", "answer": ""}, "no reference answer"),
        ({"problem": "P?", "steps": []}, "at least one step"),
        ({"problem": "P?", "steps": ["a", " "]}, "step 1 is empty"),
        ({"problem": "P?", "steps": ["a", 3]}, "step 1 is empty or not a text"),
        ({"problem": "P?", "steps": "a"}, "a list"),
        ({"problem": "P?", "steps": ["a"] * 1001}, "1001 steps"),
        ({"problem": "P?", "steps": ["a", "b\x00"]}, "step 1: holds a NUL"),
        ({"problem": "P?", "steps": ["a", "b\ud800"]}, "step 1: holds a lone surrogate"),
        ({"problem": "P?", "steps": ["a", "b\udcff"]}, "step 1: holds bytes that are not UTF-8"),
        ({"problem": "P?", "steps": ["a", "b" * 200_001]}, "step 1: 200001 characters"),
        ({"problem": "P?", "steps": ["a"], "label": 1}, "outside the 1 steps"),
        ({"problem": "P?", "steps": ["a"], "label": "0"}, "not a step index"),
        ({"problem": "P?", "steps": ["a"], "label": True}, "not a step index"),
        ({"problem": "P?", "steps": ["a"], "label": 10**400}, "outside the 1 steps"),
        ({"problem": "P?", "steps": ["a"], "label": 0, "step_labels": [2]}, "not one of"),
        ({"problem": "P?", "steps": ["a"], "label": 0, "step_labels": [True]}, "only -1, 0, 1"),
        ({"problem": "P?", "steps": ["a"], "final_answer_correct": 1}, "final_answer_correct"),
        ({"problem": "P\x00?", "steps": ["a"]}, "NUL"),
        ({"problem": "P\ud800?", "steps": ["a"]}, "surrogate"),
        ({"problem": {"x": 1}, "steps": ["a"]}, "a text is expected, not dict"),
        ({"problem": "P?", "response": " \n"}, "response"),
        ({"problem": "P" * 200_001, "steps": ["a"]}, "200001 characters"),
    ],
)
def test_a_bad_row_is_refused_with_its_field_and_reason(row, reason):
    with pytest.raises(RowError, match=reason):
        read_one(row)


FULL = {
    **NATIVE, "answer": " 4 ", "source": "S", "licence": "MIT", "problem_id": "p" * 300,
    "solution_id": "s" * 300, "generator": "g", "labelled_by": "A", "final_answer_correct": True,
    "step_labels": None,
}  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {}, {"answer": None, "source": None, "licence": None, "generator": None},
        {"problem_id": 7}, {"solution_id": ""}, {"solution_id": None, "id": "i"},
        {"problem": " "}, {"problem": "é?"}, {"answer": "a\x00"}, {"source": "\ud800"},
        {"labelled_by": ""}, {"labelled_by": 5}, {"generator": ["g"]}, {"licence": True},
        {"problem": "x" * 200_001}, {"problem": "x" * 150_000, "answer": "y" * 150_000},
        {"steps": []}, {"steps": ["a", " "]}, {"steps": None, "response": "a\n\nb"},
        {"final_answer_correct": 1}, {"label": None}, {"label": True}, {"label": 1.0},
        {"label": 9}, {"label": 0, "step_labels": [-1, None]}, {"label": 0, "step_labels": [-1]},
        {"label": 0, "step_labels": [1, -1]}, {"label": 1, "step_labels": [True, -1]},
        {"label": 1, "step_labels": [1.0, -1]}, {"label": 1, "step_labels": [[], -1]},
        {"label": -1, "step_labels": [1, 2]}, {"label": -1, "step_labels": "ab"},
        {"label": 1, "step_labels": [0, -1]},
    ],
)  # fmt: skip
def test_a_row_read_at_once_is_the_row_read_field_by_field(change, monkeypatch):
    def outcome():
        try:
            return read_one({**FULL, **change})
        except RowError as error:
            return str(error)

    read_one({**FULL, "label": 1, "step_labels": [1, -1]})  # remembered: 1 is equal to true and 1.0
    quick = outcome()
    monkeypatch.setattr(native, "_plain", lambda _: None)
    monkeypatch.setattr(native, "_usual_verdicts", native._verdicts_of)
    assert quick == outcome()
    if change in ({}, {"label": 1, "step_labels": [0, -1]}):
        assert quick.solution.verdicts[0].source.name == "A"
