from __future__ import annotations

import pytest

from labeling.domain.formats import RowError
from tests.format_rows import RECORD, TRL
from tests.unit.labeling.domain.formats.reading import read_one, solution_of, verdict_of


def test_a_trl_row_does_not_say_who_labeled_it():
    verdict = verdict_of(TRL)
    assert verdict.source.kind is None
    assert (verdict.first_error, verdict.step_labels) == (1, (1, -1, -1))


def test_numbers_between_0_and_1_are_scores_and_right_from_a_half_on():
    verdict = verdict_of({**TRL, "labels": [0.875, 0.5, 0.125]})
    assert (verdict.step_scores, verdict.step_labels) == ((0.875, 0.5, 0.125), (1, 1, -1))


@pytest.mark.parametrize("labels", [[1, 0, 0], [1.0, 0.0, 0.0]])
def test_zeros_and_ones_are_labels(labels):
    assert verdict_of({**TRL, "labels": labels}).step_scores == ()
    assert verdict_of({**TRL, "labels": labels}).step_labels == (1, -1, -1)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"labels": [True]}, "one for each of the 3 steps"),
        ({"labels": [1, 0, 2]}, "outside 0..1"),
        ({"labels": [1, 0, float("nan")]}, "outside 0..1"),
        ({"labels": [True, False, "x"]}, "not a number"),
        ({"completions": ["a", "", "b"]}, "step 1 is empty"),
        ({"prompt": ""}, "statement is missing"),
    ],
)
def test_a_bad_trl_row_is_refused(change, reason):
    with pytest.raises(RowError, match=reason):
        read_one({**TRL, **change})


def test_a_training_record_keeps_its_counts():
    solution, verdict = solution_of(RECORD), verdict_of(RECORD)
    assert (solution.external_id, solution.final_answer_correct) == ("abc", False)
    assert verdict.counts == ((3, 8), (0, 8))
    assert (verdict.first_error, verdict.step_labels, verdict.source.kind) == (1, (1, -1), None)


def test_a_training_record_without_a_first_error_takes_it_from_its_labels():
    bare = {**RECORD, "first_error": None, "counts": None}
    assert verdict_of(bare).first_error == 1
    unknown = verdict_of({**bare, "labels": [None, 0]})
    assert (unknown.state, unknown.first_error) == ("unscored", None)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"labels": [1, 2]}, "not one of 1, 0, null"),
        ({"labels": [1, True]}, "not one of 1, 0, null"),
        ({"labels": [0, 1]}, "not the first error, 1"),
        ({"counts": [[9, 8], None]}, "step 0"),
        ({"counts": [[1, 8], 3]}, "step 1"),
        ({"first_error": 2}, "outside the 2 steps"),
    ],
)
def test_a_record_that_contradicts_itself_is_refused(change, reason):
    with pytest.raises(RowError, match=reason):
        read_one({**RECORD, **change})
