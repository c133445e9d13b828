"""Files of every kind, sound and hostile: rows come out, or a reason with its line."""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc
import zipfile
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labeling.domain.refusals import Invalid
from labeling.services.rowfiles import FileKind, containers, documents, lines, open_rows, tables

ROW = {"problem": "P?", "n": 1}
LINE = json.dumps(ROW).encode()


@pytest.fixture
def rows_of(tmp_path):
    def read(data: bytes, name: str = "file"):
        path = tmp_path / name
        path.write_bytes(data)
        return open_rows(path)

    return read


def packed_zip(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "kind", "numbers"),
    [
        (LINE + b"\n\n" + LINE + b"\n", FileKind.LINES, [1, 3]),
        (b"\xef\xbb\xbf" + LINE + b"\r\n" + LINE, FileKind.LINES, [1, 2]),
        (b"[" + LINE + b",\n" + LINE + b"]", FileKind.DOCUMENT, [1, 2]),
        (json.dumps([ROW, ROW], indent=1).encode(), FileKind.DOCUMENT, [2, 6]),
        (json.dumps(ROW, indent=1).encode(), FileKind.DOCUMENT, [1]),
        (json.dumps(ROW, indent=1).encode() * 2, FileKind.DOCUMENT, [1, 4]),
        (b'{"id 1": [' + LINE + b'],\n "id 2": [' + LINE + b"]}", FileKind.DOCUMENT, [1, 2]),
        (b"problem,n\nP?,1\n\nP?,1\n", FileKind.TABLE, [2, 4]),
        (b'problem\tn\n"P?"\t1\nP?\t1', FileKind.TABLE, [2, 3]),
    ],
)
def test_a_file_is_told_by_its_content(rows_of, data, kind, numbers):
    file = rows_of(data, "misleading.parquet")
    assert file.kind is kind
    wanted = {**ROW, "n": "1"} if kind is FileKind.TABLE else ROW
    assert list(file) == [(number, wanted, "") for number in numbers]
    assert file.share == 1.0


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: packed_zip(rows=data)])
def test_packed_files_are_unpacked_as_they_are_read(rows_of, pack):
    file = rows_of(pack(LINE + b"\n" + LINE))
    assert list(file) == [(1, ROW, ""), (2, ROW, "")]


def test_parquet_comes_out_row_by_row(rows_of, tmp_path):
    path = tmp_path / "rows"
    table = pyarrow.table({"problem": ["P?", None], "steps": [["a", "b"], []], "n": [1.5, 2]})
    pyarrow.parquet.write_table(table, path)
    file = open_rows(path)
    assert file.kind is FileKind.PARQUET
    assert list(file) == [
        (1, {"problem": "P?", "steps": ["a", "b"], "n": 1.5}, ""),
        (2, {"problem": None, "steps": [], "n": 2.0}, ""),
    ]
    assert file.share == 1.0


def test_the_same_rows_in_parquet_and_json(shared_data):
    folder = shared_data / "original_formats" / "prm800k"
    name = "birchlabs_stepwise_critic_100rows"
    assert list(open_rows(folder / f"{name}.parquet")) == list(open_rows(folder / f"{name}.jsonl"))


def test_reading_may_stop_early_and_begin_anew(rows_of, tmp_path):
    path = tmp_path / "rows"
    pyarrow.parquet.write_table(pyarrow.table({"n": list(range(20_000))}), path)
    file = open_rows(path)
    for _ in range(2):
        rows = iter(file)
        assert next(rows)[1] == {"n": 0}
        rows.close()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a": ', "not valid JSON: Expecting value at character"),
        (b'{"a": "\xff"}', "not UTF-8 at byte 8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "4300 digits"),
        (b'{"a": "' + b"x" * lines.LINE_LIMIT + b'"}', "longer than 8 MB"),
        (b"\x00\x00", "Expecting value"),
    ],
    ids=["cut", "bytes", "lists", "objects", "digits", "giant", "nul"],
)
def test_a_bad_line_is_named_and_the_others_are_read(rows_of, line, reason):
    first, bad, last = rows_of(LINE + b"\n" + line + b"\n" + LINE)
    assert (first, last) == ((1, ROW, ""), (3, ROW, ""))
    assert bad[:2] == (2, None)
    assert reason in bad[2]


def test_what_python_writes_but_json_lacks_is_read(rows_of):
    (row,) = rows_of(b'{"a": NaN, "b": "\\ud800", "c": 1e999}')
    assert str(row[1]["a"]) == "nan"
    assert row[1]["b"] == "\ud800"


def test_a_giant_first_line_does_not_hide_the_next(rows_of):
    file = rows_of(b'{"a": "' + b"x" * (lines.LINE_LIMIT + 10) + b'"}\n' + LINE)
    assert [(number, bool(error)) for number, _, error in file] == [(1, True), (2, False)]


@pytest.mark.parametrize(
    "data",
    [
        b'[{"a": 1}, {"a": 2}',
        b'[{"a": 1}, {"a": 2}\n{"a": 3}]',
        b'[{"a": 1}, {"a": 2},\n]',
        b'[{"a": 1}, {"a": 2}, {"a": "' + b"x" * (3 * documents.LINE_LIMIT) + b'"}]',
        b'[{"a": 1}, {"a": 2}, ' + b"[" * 100_000,
        b'{"x": [{"a": 1}, {"a": 2}], y}',
    ],
    ids=["cut", "comma", "trailing", "giant", "deep", "name"],
)
def test_a_document_is_read_up_to_its_damage(rows_of, data):
    *good, bad = rows_of(data)
    assert [value for _, value, _ in good] == [{"a": 1}, {"a": 2}]
    assert "not valid JSON" in bad[2]
    assert "what follows was not read" in bad[2]


@pytest.mark.parametrize("kind", FileKind)
def test_memory_does_not_grow_with_the_file(tmp_path, kind):
    path, count = tmp_path / "rows", 60_000
    row = {"problem": "P" * 200, "n": 1}
    if kind is FileKind.PARQUET:
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist([row] * count), path)
    elif kind is FileKind.TABLE:
        path.write_text("problem,n\n" + f"{row['problem']},1\n" * count)
    else:
        begin, between, end = ("[", ",\n", "]") if kind is FileKind.DOCUMENT else ("", "\n", "")
        path.write_text(begin + between.join([json.dumps(row)] * count) + end)
    file = open_rows(path)
    tracemalloc.start()
    try:
        assert sum(1 for _ in file) == count
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 6 * 10**6 < count * len(json.dumps(row))


def test_a_row_at_the_windows_edge_is_whole(rows_of, monkeypatch):
    monkeypatch.setattr(documents, "CHUNK", 7)
    rows = [{"text": "ü€😀" * n, "n": n} for n in range(40)] + [12345678901234, "x" * 99]
    text = json.dumps(rows, ensure_ascii=False, indent=2)
    assert [value for _, value, _ in rows_of(text.encode())] == rows


def test_bytes_that_are_not_utf8_stay_visible_in_their_own_row(rows_of):
    first, second = rows_of(b'[{"a": "\xff"}, {"a": "b"}]')
    assert first[1] == {"a": "\udcff"}
    assert second[1] == {"a": "b"}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"a,1,2", "3 fields under a header of 2"),
        (b"a\xff,1", "not UTF-8 at byte 2"),
        (b'"a" x,1', "not valid CSV"),
        (b"a," + b"1" * lines.LINE_LIMIT, "longer than 8 MB"),
    ],
    ids=["fields", "bytes", "quotes", "giant"],
)
def test_a_bad_csv_row_is_named_and_the_others_are_read(rows_of, row, reason):
    first, bad, last = rows_of(b"problem,n\nP?,1\n" + row + b"\nQ?,2\n")
    assert (first[0], last) == (2, (4, {"problem": "Q?", "n": "2"}, ""))
    assert bad[0] == 3
    assert reason in bad[2]


def test_a_csv_field_may_hold_lines_quotes_and_commas(rows_of):
    (row,) = rows_of(b'problem;n\n"a ""b"", c;\nd";1\n')
    assert row == (3, {"problem": 'a "b", c;\nd', "n": "1"}, "")


def test_a_quote_that_never_closes_swallows_a_bounded_part(rows_of):
    long = b'problem,n\n"P?,1\n' + b"Q?,2\n" * (tables.FIELD_LIMIT // 5 + 10)
    first, *rest = rows_of(long)
    assert "field larger than field limit" in first[2]
    assert 0 < len(rest) < 20


def test_missing_fields_at_the_end_of_a_csv_row_are_missing(rows_of):
    (row,) = rows_of(b"problem,n\nP?\n")
    assert row[1] == {"problem": "P?"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b" \n \n", "is empty"),
        (b"just words", "neither JSON, CSV with a header of two"),
        (b"a,a\n1,2", "a name of its own"),
        (b"a,\n1,2", "a name of its own"),
        ("problem,n\n".encode("utf-16"), "UTF-16"),
        (b"[{]", "not valid JSON"),
        (b"PAR1 nothing else", "Parquet file cannot be read"),
        (gzip.compress(b"PAR1", mtime=0), "must come unpacked"),
        (gzip.compress(LINE * 999, mtime=0)[:40], "damaged"),
        (b"PK\x03\x04 no zip", "zip cannot be read"),
        (packed_zip(a=LINE, b=LINE), "2 files; one is expected"),
        (packed_zip(), "the zip holds 0 files"),
    ],
)
def test_a_file_of_which_nothing_can_be_read_is_refused_by_name(rows_of, data, reason):
    with pytest.raises(Invalid, match=reason) as refusal:
        list(rows_of(data, "rows.json"))
    assert str(refusal.value).startswith("rows.json: ")


def test_an_absent_file_is_refused(tmp_path):
    with pytest.raises(Invalid, match="no such file"):
        open_rows(tmp_path / "absent")


def test_a_packed_file_cut_short_is_read_up_to_the_cut(rows_of):
    data = gzip.compress(b"".join(b'{"n": %d}\n' % n for n in range(300_000)))
    *good, bad = rows_of(data[:-1000])
    assert good[0] == (1, {"n": 0}, "")
    assert "damaged" in bad[2]


def test_an_encrypted_zip_is_refused(rows_of):
    data = bytearray(packed_zip(rows=LINE))
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):
        at = data.index(mark) + (6 if mark == b"PK\x03\x04" else 8)
        data[at] |= 1
    with pytest.raises(Invalid, match="zip cannot be read"):
        list(rows_of(bytes(data)))


@pytest.mark.parametrize("limit", ["RATIO_FREE", "UNPACKED_LIMIT"])
def test_a_bomb_is_refused_while_it_unpacks(rows_of, monkeypatch, limit):
    file = rows_of(gzip.compress((LINE + b"\n") * 2_000_000))
    monkeypatch.setattr(containers, limit, 3 * 10**6)
    *good, bad = file
    assert 0 < len(good) < 500_000
    assert "unpacks to more than" in bad[2] or "holds more than" in bad[2]


def test_parquet_that_ends_early_is_refused_with_its_reason(tmp_path):
    path = tmp_path / "rows"
    pyarrow.parquet.write_table(pyarrow.table({"n": list(range(50_000))}), path)
    data = bytearray(path.read_bytes())
    middle = len(data) // 4
    data[middle : middle + 2000] = bytes(2000)
    path.write_bytes(bytes(data))
    try:
        found = list(open_rows(path))
    except Invalid as refusal:
        assert "Parquet file cannot be read" in str(refusal)  # noqa: PT017 - one of two good ends
    else:
        assert len(found) <= 50_001


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=200)
    | st.builds(
        lambda parts: b"".join(parts),
        st.lists(
            st.sampled_from(
                [
                    *(LINE, b"\n", b"[", b"]", b"{", b"}", b",", b'"', b":", b"\\", b"\xff"),
                    *(b"problem,n\n", b"\x1f\x8b", b"PK\x03\x04", b"\x00", b"null", b"1", b"e"),
                ]
            ),
            max_size=30,
        ),
    )
)
def test_any_bytes_are_rows_and_reasons_or_a_refusal(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "any"
    path.write_bytes(data)
    try:
        for number, value, error in open_rows(path):
            assert number >= 1
            assert value is None or not error
    except Invalid:
        return


TURNS = [{"role": "user", "content": "4?"}, {"role": "assistant", "content": "4"}]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (json.dumps({"messages": TURNS}), 1),
        (json.dumps({"messages": TURNS}, indent=1), 1),
        ("\n".join([json.dumps({"messages": TURNS})] * 3), 3),
        ("\n".join([json.dumps({"steps": [{"text": "a"}]})] * 3), 3),
        (json.dumps({"math": [{"a": 1}, {"a": 2}], "law": [{"a": 3}]}), 3),
        (json.dumps({"math": [{"a": 1}, {"a": 2}], "law": [{"a": 3}]}, indent=1), 3),
    ],
)
def test_a_list_of_objects_within_a_row_is_no_list_of_rows(tmp_path, text, rows):
    path = tmp_path / "file"
    path.write_text(text)
    assert len(list(open_rows(path))) == rows
