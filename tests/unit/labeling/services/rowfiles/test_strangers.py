"""What people try to import and cannot: the message says what it is and what to do."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile

import pytest

from labeling.domain.refusals import Invalid
from labeling.services.importing.options import Options, plan, preview
from labeling.services.rowfiles import open_rows

ROW = {"problem": "2 + 2?", "answer": "4", "steps": ["2 + 2 = 4"], "label": -1}


def zipped(*names):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(name, json.dumps(ROW))
    return made.getvalue()


def tarred():
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("rows.jsonl"), io.BytesIO())
    return made.getvalue()


FILES = {
    "a workbook named CSV": (zipped("[Content_Types].xml", "xl/workbook.xml"), "save it as CSV"),
    "an OpenDocument sheet": (zipped("mimetype", "content.xml"), "is a spreadsheet"),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "is a spreadsheet"),
    "two files in a zip": (zipped("a.jsonl", "b.jsonl"), "holds 2 files; one is expected"),
    "an empty zip": (zipped(), "holds 0 files; one is expected"),
    "an archive": (tarred(), "is a tar archive: unpack it"),
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\n", "git lfs pull"),
    "a web page": (b"<!DOCTYPE html>\n<p>Sign in, please", "is a web page"),
    "a PDF": (b"%PDF-1.7\n1, 2", "is a PDF"),
    "UTF-16": ("problem,answer\n".encode("utf-16"), "is UTF-16; save it as UTF-8"),
    "nothing": (b"", "the file is empty"),
    "blanks": (b" \n\n", "the file is empty"),
    "words": (b"Just words\n", "is neither JSON, CSV"),
    "one column": (b"problem\n1 + 1?\n", "CSV with a header of two columns at least"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_without_rows_is_named_for_what_it_is(tmp_path, name):
    data, words = FILES[name]
    path = tmp_path / "rows.csv"
    path.write_bytes(data)
    with pytest.raises(Invalid, match=f"rows.csv: .*{words}"):
        open_rows(path)


def seen(tmp_path, data):
    path = tmp_path / "rows.csv"
    path.write_bytes(data)
    return preview(path, Options())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("problème;réponse\nQuoi?;3\n".encode("cp1252"), "no CSV header: not UTF-8 at byte 6"),
        (b"problem,answer\r1 + 1?,2\r", "lines end with CR alone"),
    ],
)
def test_a_header_that_cannot_be_read_is_never_the_next_line(tmp_path, data, words):
    with pytest.raises(Invalid, match=words):
        seen(tmp_path, data)


def test_a_line_in_windows_1252_is_named_and_the_others_are_read(tmp_path):
    data = "problem;answer\nWie viele Äpfel?;3\n1 + 1?;2\n".encode("cp1252")
    found = seen(tmp_path, data)
    assert [row.problem.statement for row in found.shown] == ["1 + 1?"]
    assert found.errors == ((2, "not UTF-8 at byte 11 of the line: save it as UTF-8"),)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"[]", "the file holds no rows"),
        (b"problem,answer\n", "the file holds no rows"),
        (b"problem,answer\n\xe4,1\n", "none of the file's first rows can be read"),
    ],
)
def test_a_file_whose_first_rows_say_nothing_needs_no_mapping(tmp_path, data, words):
    assert seen(tmp_path, data).needs == words
    with pytest.raises(Invalid, match=words):
        plan(tmp_path / "rows.csv", Options())
