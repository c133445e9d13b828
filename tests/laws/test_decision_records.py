"""Decision records are numbered without gaps or doubles, and the list names each of them."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs" / "adr"
RECORDS = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")


def test_numbers_run_from_one_without_doubles():
    assert [int(path.name[:4]) for path in RECORDS] == list(range(1, len(RECORDS) + 1))


def test_each_heading_says_the_number_of_its_file():
    headings = [path.read_text(encoding="utf-8").splitlines()[0] for path in RECORDS]
    wrong = [h for n, h in enumerate(headings, 1) if not h.startswith(f"# {n}. ")]
    assert wrong == []


def test_the_list_names_each_record_once_by_its_number():
    listed = re.findall(r"^(\d+)\. \[.+\]\((.+)\)$", (FOLDER / "README.md").read_text(), re.M)
    assert listed == [(str(n), path.name) for n, path in enumerate(RECORDS, 1)]
