from __future__ import annotations

import pytest

from labeling.domain.formats import RowError
from labeling.domain.formats.located import NOWHERE, SUSPECT
from labeling.domain.formats.mistakes import OUTSIDE
from tests.format_rows import BIGBENCH, PRMBENCH
from tests.unit.labeling.domain.formats.reading import read_one, solution_of, verdict_of


def test_a_mistake_index_counts_from_0():
    verdict = verdict_of(BIGBENCH)
    assert (verdict.first_error, verdict.source.name) == (1, "BIG-Bench-Mistake")
    assert solution_of(BIGBENCH).final_answer_correct is False


def test_no_mistake_with_a_wrong_answer_stands_but_is_noted():
    row = {**BIGBENCH, "mistake_index": None}
    assert verdict_of(row).first_error == -1
    assert read_one(row).notes == (SUSPECT,)
    assert read_one({**row, "answer": "2"}).notes == ()


def test_thousands_commas_do_not_make_an_answer_wrong():
    row = {**BIGBENCH, "target": "70,000", "answer": "70000", "mistake_index": None}
    assert solution_of(row).final_answer_correct is True


def test_planted_errors_are_a_key_and_no_persons_label():
    verdict = verdict_of(PRMBENCH)
    assert (verdict.source.kind, verdict.first_error) == ("gold", 1)
    assert verdict.step_labels == (1, -1, -1)
    assert read_one(PRMBENCH).problem.statement == "Three pencils cost?"


def test_numbers_before_every_step_are_taken_away():
    assert solution_of(PRMBENCH).steps == ("Take p.", "It is 30.", "So 30.")
    some = {**PRMBENCH, "modified_process": ["1. Take p.", "2 is even.", "3. So 30."]}
    assert solution_of(some).steps[0] == "1. Take p."


def test_error_steps_outside_the_solution_are_left_out_and_noted():
    row = {**PRMBENCH, "error_steps": [3, 9, 0]}
    assert (verdict_of(row).first_error, read_one(row).notes) == (2, (OUTSIDE,))
    lost = {**PRMBENCH, "error_steps": [9]}
    assert (solution_of(lost).verdicts, read_one(lost).notes) == ((), (NOWHERE,))


def test_no_error_steps_say_that_every_step_is_right():
    assert verdict_of({**PRMBENCH, "error_steps": []}).first_error == -1


@pytest.mark.parametrize("steps", [[1.5], ["x"], {"a": 1}, [None]])
def test_error_steps_that_are_no_numbers_are_refused(steps):
    with pytest.raises(RowError, match="error_steps"):
        read_one({**PRMBENCH, "error_steps": steps})
