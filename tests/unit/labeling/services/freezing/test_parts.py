from __future__ import annotations

import random

import pytest

from labeling.domain.hashing import content_hash
from labeling.services.freezing import parts
from labeling.services.freezing.parts import Parts


def line(number):
    text = b"x" * (number % 7 * 100)
    return b'{"id":"%s","text":"%s"}\n' % (content_hash([str(number)]).encode(), text)


@pytest.fixture
def lines():
    made = [line(number) for number in range(300)]
    random.Random(0).shuffle(made)
    return made


@pytest.fixture
def gathered(tmp_path, lines):
    made = Parts(tmp_path, {})
    made.add("train", lines)
    made.add("test", [line(1000)])
    made.flush()
    made.close()
    return made


def all_of(made, split):
    return b"".join(
        data for name in sorted(made.state) if name.startswith(split) for data in made.sorted(name)
    )


@pytest.mark.parametrize("together", [1, 1000, 1 << 20])
@pytest.mark.parametrize("held", [1, 1 << 19])
def test_the_parts_of_a_split_are_its_lines_in_order(tmp_path, monkeypatch, lines, together, held):
    monkeypatch.setattr(parts, "_SORTED", together)
    monkeypatch.setattr(parts, "_HELD", held)
    made = Parts(tmp_path, {})
    for start in range(0, 300, 50):
        made.add("train", lines[start : start + 50])
        made.add("test", [line(1000 + start)])
    made.flush()
    assert all_of(made, "train") == b"".join(sorted(lines))
    assert all_of(made, "test").count(b"\n") == 6
    made.close()


def test_what_no_journal_names_is_cut_off_and_removed(tmp_path, gathered, lines):
    state = dict(gathered.state)
    again = Parts(tmp_path, state)
    again.add("train", [line(2000), line(2001)])
    again.add("test", [line(number) for number in range(3000, 3100)])
    again.flush()
    again.close()
    assert set(again.state) > set(state)
    restored = Parts(tmp_path, state)
    assert restored.restore()
    assert {path.name for path in tmp_path.iterdir()} == set(state)
    assert all_of(restored, "train") == b"".join(sorted(lines))
    assert all_of(restored, "test") == line(1000)


@pytest.mark.parametrize("harm", ["changed", "shorter", "gone"])
def test_parts_that_are_not_as_noted_are_not_gone_on_with(tmp_path, gathered, harm):
    path = tmp_path / min(gathered.state)
    data = path.read_bytes()
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes(data[:-1] + (b" " if harm == "changed" else b""))
    assert not Parts(tmp_path, gathered.state).restore()


def test_a_dropped_part_goes_with_the_sweep(tmp_path, gathered):
    name = min(gathered.state)
    gathered.drop(name)
    assert name not in gathered.state
    assert (tmp_path / name).exists()
    gathered.sweep()
    assert not (tmp_path / name).exists()
