from __future__ import annotations

import csv
from io import StringIO

from hypothesis import given
from hypothesis import strategies as st

from labeling.views.tables import as_csv

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))


def read(response):
    return list(csv.reader(StringIO(response.content.decode(), newline="")))


def test_a_table_is_a_file_with_its_head():
    response = as_csv("MC × judge", ["labeler", "n"], [["a, b", 3], ["c", None]])
    assert response["Content-Disposition"] == 'attachment; filename="mc-judge.csv"'
    assert read(response) == [["labeler", "n"], ["a, b", "3"], ["c", ""]]


@given(TEXT)
def test_no_text_is_a_formula_and_none_is_lost(text):
    (_, (cell, number)) = read(as_csv("t", ["a", "n"], [[text, -1]]))
    assert cell in (text, f"'{text}")
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert number == "-1"
