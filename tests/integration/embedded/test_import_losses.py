"""A database server that dies under an import: what was said to be stored is, and no batch in part.

Batches do not wait for the disk (docs/adr/0014), so this needs a server that keeps its word.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from annotator.embedded.postgres import Postgres
from tests.format_rows import NATIVE
from tests.integration.embedded.family import ROOT, end, python, wait_for

ROWS, BATCH = 3000, 50

# Imports a file with small batches, and says when import_file has come back.
_IMPORT = """
import os, sys, time, pathlib
os.environ["DJANGO_SETTINGS_MODULE"] = "annotator.settings"
import django
django.setup()
from labeling.models import Project
from labeling.services import imports, projects
from labeling.services.importing import batches
batches.SOLUTIONS = int(sys.argv[2])
by = projects.machine()
project = Project.objects.first() or projects.create(by=by, name="p")
print("begun", flush=True)
imports.import_file(by=by, project=project, path=pathlib.Path(sys.argv[1]))
print("stored", flush=True)
time.sleep(600)
"""
_STORED = """
SELECT (SELECT count(*) FROM labeling_solution), (SELECT count(*) FROM labeling_verdict),
    (SELECT count(*) FROM labeling_decision WHERE state = 'adjudicated'),
    (SELECT coalesce(sum((details ->> 'solutions')::int), 0) FROM labeling_event
     WHERE action = 'rows imported')
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Postgres]:
    """A durable server with the application's tables."""
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents[:2]:
        folder.chmod(0o755)
    made = Postgres(tmp_path / "data", tmp_path / "s", tmp_path / "log")
    made.start()
    try:
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "-v", "0"],
            cwd=ROOT, env=os.environ | _variables(made), check=True,
        )  # fmt: skip
        yield made
    finally:
        made.stop()


def _variables(server: Postgres) -> dict[str, str]:
    return {"DATABASE_URL": server.url, "REDIS_URL": os.environ["REDIS_URL"]}


def _begin(path: Path, server: Postgres) -> subprocess.Popen[str]:
    process = python(_IMPORT, str(path), str(BATCH), **_variables(server))
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def _kill(server: Postgres) -> None:
    """Kill server and backends at once, with the log that they had not written yet."""
    assert server.process is not None
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text()
    for pid in (server.process.pid, *map(int, children.split())):
        os.kill(pid, signal.SIGKILL)
    server.process.wait()
    server.start()


def _stored(server: Postgres) -> tuple[int, ...]:
    with psycopg.connect(server.url) as connection:
        (found,) = connection.execute(_STORED).fetchall()
    return tuple(map(int, found))


def test_a_killed_server_loses_whole_batches_at_most_and_nothing_once_it_was_said(server, tmp_path):
    path = tmp_path / "rows.jsonl"
    lines = ({**NATIVE, "problem": f"{n} + 1?", "labelled_by": "A"} for n in range(ROWS))
    path.write_text("\n".join(map(json.dumps, lines)))
    first = _begin(path, server)
    try:
        wait_for(lambda: _stored(server)[0] >= 5 * BATCH, seconds=60)
        _kill(server)
        left = _stored(server)
        assert BATCH <= left[0] < ROWS
        assert left[0] % BATCH == 0
        assert left == (left[0],) * 4
    finally:
        end(first)
    again = _begin(path, server)
    try:
        assert again.stdout is not None
        assert again.stdout.readline() == "stored\n"
        _kill(server)
        assert _stored(server) == (ROWS,) * 4
    finally:
        end(again)
