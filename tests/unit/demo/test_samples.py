"""The sample problems are what the import reads."""

from __future__ import annotations

import json
from pathlib import Path

from demo import samples, world
from labeling.domain.formats import Reading, read_row


def test_the_import_reads_every_sample_problem(tmp_path: Path) -> None:
    file = tmp_path / "problems.jsonl"
    samples.write_samples(file, 40, 1)
    lines = map(json.loads, file.read_text().splitlines())
    rows = [row for line in lines for row in read_row(line, Reading())]
    expected = world.problems(1, 40)
    assert [(r.problem.statement, r.problem.answer, r.problem.external_id) for r in rows] == [
        (p.statement, p.answer, p.external_id) for p in expected
    ]
    assert {(row.problem.licence, row.solution) for row in rows} == {("Apache-2.0", None)}
    assert all(row.problem.source for row in rows)


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        samples.write_samples(tmp_path / name, 20, seed)
    first, again, other = ((tmp_path / name).read_bytes() for name in "abc")
    assert first == again != other
