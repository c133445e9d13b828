from __future__ import annotations

import pytest

from labeling.domain.formats import RowError
from labeling.domain.formats.mapping import as_native, check, guess
from labeling.domain.refusals import Invalid


def test_columns_with_the_fields_names_need_no_mapping():
    columns = ["Question", "gold", "steps", "rating", "License"]
    assert guess(columns) == {
        "problem": "Question", "answer": "gold", "steps": "steps", "licence": "License",
    }  # fmt: skip


def test_the_first_of_two_columns_for_one_field_counts():
    assert guess(["problem", "question"]) == {"problem": "problem"}


def test_cells_become_what_their_field_needs():
    row = {"p": "2 + 2?", "s": '["a", "b"]', "l": " 1 ", "ok": "False", "g": "", "x": "ignored"}
    mapping = {
        "problem": "p", "steps": "s", "label": "l", "final_answer_correct": "ok", "generator": "g",
    }  # fmt: skip
    assert as_native(row, mapping) == {
        "problem": "2 + 2?", "steps": ["a", "b"], "label": 1, "final_answer_correct": False,
    }  # fmt: skip


@pytest.mark.parametrize(("cell", "label"), [("-1", -1), ("2.0", 2), ("x", "x"), ("1e9", "1e9")])
def test_a_label_that_is_no_number_stays_as_it_is_and_is_refused_later(cell, label):
    assert as_native({"l": cell}, {"label": "l"}) == {"label": label}


def test_values_that_are_no_texts_pass():
    assert as_native({"l": 1, "s": ["a"]}, {"label": "l", "steps": "s"}) == {
        "label": 1, "steps": ["a"],
    }  # fmt: skip


def test_a_cell_that_should_be_a_list_and_is_not_is_refused():
    with pytest.raises(RowError, match="steps: a JSON list"):
        as_native({"s": "['a']"}, {"steps": "s"})


@pytest.mark.parametrize(
    ("mapping", "reason"),
    [
        ({"statement": "a"}, "statement is no field"),
        ({"problem": "z"}, "no column z"),
        ({"answer": "a"}, "which column is the problem"),
    ],
)
def test_a_mapping_that_does_not_fit_the_file_is_refused(mapping, reason):
    with pytest.raises(Invalid, match=reason):
        check(mapping, ["a", "b"])
