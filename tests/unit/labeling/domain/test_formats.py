from __future__ import annotations

import pytest

from labeling.domain.formats import RowError, read_row
from labeling.domain.steps import SplitRule

RULE = SplitRule()


def test_a_gsm8k_row_becomes_a_problem_with_its_final_answer():
    row = {"question": "How many eggs?", "answer": "16 - 7 = <<16-7=9>>9\n#### 9"}
    read = read_row(row, RULE)
    assert (read.problem.statement, read.problem.answer) == ("How many eggs?", "9")
    assert read.solution is None


def test_a_processbench_row_becomes_a_solution_with_its_human_label():
    row = {
        "id": "gsm8k-7", "generator": "m", "problem": "P?", "steps": ["a", "b"],
        "final_answer_correct": False, "label": 1,
    }  # fmt: skip
    read = read_row(row, RULE)
    assert read.solution is not None
    assert (read.solution.label, read.solution.steps) == (1, ("a", "b"))
    assert read.solution.external_id == "gsm8k-7"


def test_a_math_row_takes_the_boxed_answer_of_its_solution():
    read = read_row({"problem": "P?", "solution": r"So \boxed{\frac{1}{2}}."}, RULE)
    assert read.problem.answer == r"\frac{1}{2}"
    assert read.solution is None


def test_a_response_given_as_text_is_split_into_steps():
    read = read_row({"problem": "P?", "answer": "4", "response": "One.\n\nAnswer: 4"}, RULE)
    assert read.solution is not None
    assert read.solution.steps == ("One.", "Answer: 4")
    assert "".join(
        gap + step for gap, step in zip(read.solution.gaps, (*read.solution.steps, ""), strict=True)
    ) == "One.\n\nAnswer: 4"  # fmt: skip


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([1], "JSON object"),
        ({}, "statement is missing"),
        ({"problem": "  "}, "statement is missing"),
        ({"problem": "P?"}, "no reference answer"),
        ({"question": "Q?", "answer": ""}, "no reference answer"),
        ({"problem": "P?", "steps": []}, "at least one step"),
        ({"problem": "P?", "steps": ["a", " "]}, "step 1 is empty"),
        ({"problem": "P?", "steps": ["a", 3]}, "step 1 is empty or not a text"),
        ({"problem": "P?", "steps": "a"}, "a list"),
        ({"problem": "P?", "steps": ["a"] * 1001}, "1001 steps"),
        ({"problem": "P?", "steps": ["a"], "label": 1}, "outside the 1 steps"),
        ({"problem": "P?", "steps": ["a"], "label": "0"}, "not a step index"),
        ({"problem": "P?", "steps": ["a"], "label": True}, "not a step index"),
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
        read_row(row, RULE)
