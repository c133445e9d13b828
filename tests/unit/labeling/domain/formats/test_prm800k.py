from __future__ import annotations

from copy import deepcopy

import pytest

from labeling.domain.formats import RowError
from tests.format_rows import PRM800K_PHASE1, PRM800K_PHASE2, candidate, step
from tests.unit.labeling.domain.formats.reading import read, solution_of


def said(row, **reading):
    """Return (steps, first error, labels, truncated) of every solution of the row."""
    return [
        (
            found.solution.steps,
            found.solution.verdicts[0].first_error,
            found.solution.verdicts[0].step_labels,
            found.solution.truncated,
        )
        for found in read(row, **reading)
    ]


def test_phase_1_is_the_path_that_was_chosen_and_each_candidate_beside_it():
    human = "5 + 5 = 10."
    last = "So ten.\n\n# Answer\n\n10"
    assert said(PRM800K_PHASE1) == [
        # the person's own step has no rating and is no error
        (("Add.", human, last), -1, (1, None, 1), False),
        (("Multiply.",), 0, (-1,), True),
        (("Add.", "It is 11."), 1, (1, -1), True),
        (("Add.", "So 9."), 1, (1, -1), True),
        (("Add.", human, "Well."), -1, (1, None, 0), True),
    ]


def test_the_candidates_beside_the_path_can_be_left_out():
    assert len(said(PRM800K_PHASE1, alternatives=False)) == 1


def test_the_labeler_is_named_with_the_time_spent_on_the_whole_solution():
    first, aside, *_ = read(PRM800K_PHASE1)
    verdict = first.solution.verdicts[0]
    assert (verdict.source.kind, verdict.source.name) == ("human", "PRM800K e90a")
    assert verdict.seconds == 12.5
    assert aside.solution.verdicts[0].seconds == 0


def test_the_answer_mark_gives_the_final_answer():
    solution = solution_of(PRM800K_PHASE1, alternatives=False)
    assert (solution.final_answer, solution.final_answer_correct) == ("10", True)


def test_phase_2_is_the_whole_solution_labeled_up_to_its_first_error():
    assert said(PRM800K_PHASE2) == [
        # the step rated -1 is the solution's own; what follows was written but not labeled
        (("Add.", "6 + 6 = 13.", "# Answer\n\n13"), 1, (1, -1, None), False),
        (("Add.", "6 + 6 = 12."), -1, (1, 1), True),
    ]
    solution = solution_of(PRM800K_PHASE2, alternatives=False)
    assert (solution.final_answer, solution.final_answer_correct) == ("13", False)


def test_a_path_given_up_is_a_truncated_solution():
    row = deepcopy(PRM800K_PHASE1)
    row["label"]["finish_reason"] = "give_up"
    row["label"]["steps"] = [step(0, candidate("Add.", 1)), step(None)]
    assert said(row) == [(("Add.",), -1, (1,), True)]


def test_a_bad_problem_is_a_rejection():
    row = deepcopy(PRM800K_PHASE1)
    row["label"]["finish_reason"] = "bad_problem"
    verdict = read(row)[0].solution.verdicts[0]
    assert (verdict.state, verdict.reason, verdict.first_error) == ("rejected", "bad problem", None)


def test_a_chosen_step_without_a_rating_leaves_the_first_error_open():
    row = deepcopy(PRM800K_PHASE1)
    row["label"]["steps"] = [step(0, candidate("Add.", None)), step(0, candidate("So 10.", 1))]
    verdict = read(row)[0].solution.verdicts[0]
    assert (verdict.state, verdict.step_labels) == ("unscored", (None, 1))
    assert verdict.reason


def test_candidates_that_nobody_rated_are_no_solutions():
    row = deepcopy(PRM800K_PHASE1)
    row["label"]["steps"] = [step(0, candidate("Add.", 1), candidate("Subtract.", None))]
    assert len(read(row)) == 1


def test_no_step_at_all_is_no_solution():
    row = deepcopy(PRM800K_PHASE1)
    row["label"]["steps"] = []
    assert read(row) == []


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ("none", "label.steps: a list"),
        ([3], r"label.steps\[0\]: an object"),
        ([{"completions": 3}], "a list is expected"),
        ([step(2, candidate("a", 1))], "none of the 1 completions"),
        ([step(True, candidate("a", 1))], "none of the 1 completions"),
        ([step(0, candidate(" ", 1))], "has no text"),
        ([step(0, candidate("a", 2))], "rating"),
        ([step(0, {"text": "a", "rating": True})], "rating"),
        ([step(0, candidate("a\x00", 1))], "NUL"),
        ([step(0, candidate("a", 1))] * 1001, "1001 are more than"),
    ],
)
def test_broken_labels_are_refused_by_their_place(steps, reason):
    row = deepcopy(PRM800K_PHASE1)
    row["label"]["steps"] = steps
    with pytest.raises(RowError, match=reason):
        read(row)
