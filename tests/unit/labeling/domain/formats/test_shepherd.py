from __future__ import annotations

import pytest

from labeling.domain.formats import RowError
from labeling.domain.formats.shepherd import DIRTY
from tests.format_rows import MATH_SHEPHERD
from tests.unit.labeling.domain.formats.reading import read_one, solution_of, verdict_of


def test_the_tags_become_hard_labels_of_monte_carlo():
    row = read_one(MATH_SHEPHERD)
    assert (row.problem.statement, row.problem.source) == ("7 + 7?", "Math-Shepherd/GSM8K")
    solution = solution_of(MATH_SHEPHERD)
    assert solution.steps == ("Step 1: 7 + 7 = 14", "Step 2: Minus one. The answer is: 13")
    assert solution.final_answer == "13"
    verdict = verdict_of(MATH_SHEPHERD)
    assert (verdict.source.kind, verdict.source.name) == ("mc", "Math-Shepherd")
    assert (verdict.first_error, verdict.step_labels, verdict.counts) == (1, (1, -1), ())


def test_a_tag_within_the_problem_labels_nothing_and_is_noted():
    row = {
        "input": "A ки puzzle? ки Step 1: Guess. ки\nStep 2: The answer is: 1 ки",
        "label": "A + puzzle? - Step 1: Guess. +\nStep 2: The answer is: 1 -",
    }
    read = read_one(row)
    assert read.problem.statement == "A  puzzle?"
    assert read.notes == (DIRTY,)
    assert verdict_of(row).step_labels == (1, -1)


def test_labels_after_the_first_wrong_step_are_kept():
    row = {
        "input": "P? Step 1: a ки\nStep 2: b ки\nStep 3: c ки",
        "label": "P? Step 1: a -\nStep 2: b +\nStep 3: c -",
    }
    assert (verdict_of(row).first_error, verdict_of(row).step_labels) == (0, (-1, 1, -1))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"input": "P? Step 1: a ки", "label": "P? Step 1: a ?"}, "in place of tag 1"),
        ({"input": "P? Step 1: a ки", "label": "P? Step 1:"}, "in place of tag 1"),
        ({"input": "P? Step 1: a ки", "label": "Q? Step 1: a +"}, "not the text of the input"),
        ({"input": "P? Step 1: a ки b", "label": "P? Step 1: a + b"}, "follows the last tag"),
        ({"input": "P? First a ки", "label": "P? First a +"}, "holds no “Step 1:”"),
        ({"input": "Step 1: a ки", "label": "Step 1: a +"}, "statement is missing"),
        ({"input": "P? Step 1: a ки ки", "label": "P? Step 1: a + +"}, "step 1 is empty"),
    ],
)
def test_text_and_labels_that_do_not_fit_are_refused(row, reason):
    with pytest.raises(RowError, match=reason):
        read_one(row)
