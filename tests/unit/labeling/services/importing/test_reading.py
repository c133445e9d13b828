"""A large file is read by a process of its own, and nothing about it differs but the speed."""

from __future__ import annotations

import gzip
import json
import os
import signal

import pytest

from labeling.domain.refusals import Invalid
from labeling.services.importing import batches, reading
from labeling.services.importing.options import Options, plan
from tests.format_rows import NATIVE, ROWS


@pytest.fixture
def children(monkeypatch):
    """Return the processes that read; every file counts as large."""
    begun = []
    real = reading.subprocess.Popen

    def begin(*args, **options):
        begun.append(real(*args, **options))
        return begun[-1]

    monkeypatch.setattr(reading.subprocess, "Popen", begin)
    monkeypatch.setattr(reading, "APART", 0)
    return begun


@pytest.fixture
def long_file(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps({**NATIVE, "problem": f"{n} + 1?"}) for n in range(5000)))
    return path


@pytest.mark.parametrize("name", ["native", "omegaprm", "prm800k"])
def test_another_process_reads_the_same_batches(name, tmp_path, children, monkeypatch):
    monkeypatch.setattr(batches, "SOLUTIONS", 2)
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join([json.dumps(ROWS[name]), "{broken", "[1]"]))
    there = list(reading.read(*plan(path, Options())))
    monkeypatch.setattr(reading, "APART", 10**9)
    here = list(reading.read(*plan(path, Options())))
    assert len(children) == 1
    assert children[0].returncode is not None
    assert there == here
    assert sum(len(batch.errors) for batch in here) == 2
    assert here[-1].share == 1.0


def test_a_refusal_comes_through_in_its_own_words(tmp_path, children):
    path = tmp_path / "rows.jsonl.gz"
    packed = gzip.compress(json.dumps([NATIVE] * 3).encode())
    path.write_bytes(packed)
    asked = plan(path, Options())
    path.write_bytes(packed[:30])
    with pytest.raises(Invalid) as refusal:
        list(reading.read(*asked))
    assert refusal.value.phrase.message == "{name}: {error}"
    assert str(refusal.value).startswith("rows.jsonl.gz: the packed file is damaged")


def test_a_reader_that_is_killed_ends_the_reading(long_file, children, monkeypatch):
    monkeypatch.setattr(batches, "SOLUTIONS", 10)
    coming = reading.read(*plan(long_file, Options()))
    assert next(coming).rows == 10
    os.kill(children[0].pid, signal.SIGKILL)
    with pytest.raises(reading.ReaderLost, match=r"status -9.*import the file again"):
        list(coming)


def test_a_reader_that_nobody_listens_to_ends(long_file, children, monkeypatch):
    monkeypatch.setattr(batches, "SOLUTIONS", 10)
    coming = reading.read(*plan(long_file, Options()))
    next(coming)
    assert children[0].poll() is None
    coming.close()
    assert children[0].returncode == -signal.SIGKILL
