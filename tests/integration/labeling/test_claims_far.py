"""Little is left, far apart, and some of it locked: whoever asks for work still gets the rest."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Thread
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from labeling.models import Problem
from labeling.services import claims
from tests import factories as f

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


@pytest.fixture(params=["mc", "generate"])
def left(request, transactional_db, monkeypatch):
    """A run and five items that are left, each farther from the one before than is looked near."""
    monkeypatch.setattr(claims, "NEAR", 2)
    own = {"kind": "generate", "labeler": None, "project": f.ProjectFactory()}
    run = f.RunFactory(config={"model": "m"}, **(own if request.param == "generate" else {}))
    other = f.ProjectFactory()
    items = []
    for _ in range(5):
        for _ in range(3):
            f.ProblemFactory(project=other)
        problem = f.ProblemFactory(project=run.project)
        items.append(problem if request.param == "generate" else f.SolutionFactory(problem=problem))
    return run, [item.pk for item in items]


def lease(run, size):
    return list(claims.claim(run=run, token=uuid4(), size=size, now=NOW).items)


@contextmanager
def locked(problems):
    """Another process holds these rows, as a correction of a reference answer does."""
    held, done = Event(), Event()

    def hold():
        with transaction.atomic():
            list(Problem.objects.select_for_update().filter(pk__in=problems))
            held.set()
            done.wait(30)
        connection.close()

    thread = Thread(target=hold)
    thread.start()
    held.wait(30)
    try:
        yield
    finally:
        done.set()
        thread.join(30)


def problems_of(run):
    return list(
        Problem.objects.filter(project=run.project).order_by("pk").values_list("pk", flat=True)
    )


def test_nobody_leaves_while_work_is_free_behind_what_is_locked(left):
    run, items = left
    with locked(problems_of(run)[:2]):
        assert lease(run, 2) == items[2:4]
        assert lease(run, 2) == items[4:]
        assert lease(run, 2) == []
    assert lease(run, 9) == items[:2]


def test_what_lies_scattered_is_leased_together_after_one_pass(left):
    run, items = left
    with CaptureQueriesContext(connection) as asked:
        assert lease(run, 4) == items[:4]
    assert sum("MATERIALIZED" in query["sql"] for query in asked) == 1
