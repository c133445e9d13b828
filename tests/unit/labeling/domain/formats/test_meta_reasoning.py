from __future__ import annotations

import pytest

from labeling.domain.formats import RowError
from labeling.domain.formats.located import NOWHERE, SUSPECT
from tests.format_rows import MRBEN, MRGSM8K
from tests.unit.labeling.domain.formats.reading import read_one, solution_of, verdict_of


def test_mr_bens_number_is_that_of_the_text_and_not_of_the_list():
    solution, verdict = solution_of(MRBEN), verdict_of(MRBEN)
    # "It looks right." belongs to step 1, so "Step 2" has index 1
    assert solution.steps == (
        "Step 1: Draw it.\nIt looks right.",
        "Step 2: So it is 8.",
        "Solution: Choice_B",
    )
    assert (verdict.first_error, verdict.step_labels) == (1, (1, -1, None))
    assert verdict.critique == "It is 4.\n\nLook again."
    assert (verdict.source.name, solution.generator) == ("Mr-Ben", "Claude2")


def test_mr_bens_options_belong_to_the_problem_and_its_choice_is_the_answer():
    row, solution = read_one(MRBEN), solution_of(MRBEN)
    assert row.problem.statement == "The shortest distance is\nA: 4 \nB: 8"
    assert (row.problem.answer, row.problem.external_id) == ("A", "855f")
    assert (solution.final_answer, solution.final_answer_correct) == ("B", False)


def test_no_number_says_that_no_step_is_wrong():
    row = {
        **MRBEN,
        "Model_Solution_First_Error_Step": "N/A",
        "Model_Solution_Error_Reason": "N/A",
        "Ground_Truth_Answer_Modified": "B",
    }
    assert (verdict_of(row).first_error, verdict_of(row).critique) == (-1, "")
    assert read_one(row).notes == ()
    assert read_one({**row, "Ground_Truth_Answer_Modified": "A"}).notes == (SUSPECT,)


def test_a_number_without_its_step_costs_the_label_and_not_the_solution():
    row = {**MRBEN, "Model_Solution_First_Error_Step": "9"}
    assert solution_of(row).verdicts == ()
    assert read_one(row).notes == (NOWHERE,)


def test_mr_gsm8k_counts_as_its_text_counts():
    solution, verdict = solution_of(MRGSM8K), verdict_of(MRGSM8K)
    assert (verdict.first_error, verdict.critique) == (0, "Days are not hours.")
    assert (solution.final_answer, solution.final_answer_correct) == ("25", False)
    assert read_one(MRGSM8K).problem.answer == "60"


def test_steps_that_do_not_number_themselves_are_counted_from_1():
    row = {**MRGSM8K, "model_output_steps": ["a", "b"]}
    assert verdict_of({**row, "model_output_solution_first_error_step": 2}).first_error == 1
    assert solution_of({**row, "model_output_solution_first_error_step": 3}).verdicts == ()


def test_a_solution_called_correct_has_no_first_error():
    row = {
        **MRGSM8K,
        "model_output_solution_correctness": "correct",
        "model_output_answer_correctness": "correct",
        "model_output_solution_first_error_step": "N/A",
    }
    assert (verdict_of(row).first_error, solution_of(row).final_answer_correct) == (-1, True)


@pytest.mark.parametrize("number", ["two", 1.5, [1], True])
def test_what_is_no_number_is_refused(number):
    with pytest.raises(RowError, match="not a step's number"):
        read_one({**MRGSM8K, "model_output_solution_first_error_step": number})
