"""Imports as jobs: uploaded, counted, imported; and what happens when a worker dies."""

from __future__ import annotations

import json
from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from labeling import dispatch
from labeling.domain.hashing import content_hash, problem_hash
from labeling.domain.refusals import Invalid
from labeling.models import Event, Import, Problem, Solution
from labeling.models.imports import ImportState
from labeling.services import import_jobs, imports
from labeling.services.importing import batches, uploads
from tests import factories
from tests.format_rows import NATIVE
from workers import tasks

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.VAR_DIR = tmp_path


@pytest.fixture
def rung(monkeypatch):
    bells = []
    monkeypatch.setattr(
        dispatch, "ring", lambda task, *args, queue, expires=None: bells.append((task, queue, args))
    )
    return bells


@pytest.fixture
def uploaded(project, rung):
    def make(*rows, name="rows.jsonl"):
        data = "\n".join(map(json.dumps, rows)).encode()
        path = uploads.folder() / ".part-test"
        path.write_bytes(data)
        with uploads.Part(path, name, len(data)) as part:
            return import_jobs.upload(by=project.created_by, project=project, part=part)

    return make


def start(job, dry_run=False, **options):
    return import_jobs.start(by=job.created_by, job=job, options=options, dry_run=dry_run)


def test_an_upload_waits_untouched_until_it_is_started(uploaded, rung):
    job = uploaded(NATIVE)
    assert (job.state, rung) == ("uploaded", [])
    assert import_jobs.file_of(job).read_bytes() == json.dumps(NATIVE).encode()
    assert not Problem.objects.exists()


def test_a_dry_run_then_the_import(uploaded, rung):
    job = start(uploaded(NATIVE), dry_run=True)
    assert rung == [("workers.bring_in", "export", (job.uid,))]
    tasks.bring_in(job.uid)
    job.refresh_from_db()
    assert (job.state, job.report["solutions"], Solution.objects.count()) == ("counted", 1, 0)
    assert import_jobs.file_of(job).exists()
    tasks.bring_in(start(job).uid)
    job.refresh_from_db()
    assert (job.state, job.report["solutions"], Solution.objects.count()) == ("done", 1, 1)
    assert job.report["share"] == 1.0
    assert not import_jobs.file_of(job).parent.exists()
    assert Event.objects.get(action=imports.STORED).subject == job.uid


def test_a_file_that_cannot_be_read_fails_with_its_reason_and_can_be_started_again(uploaded):
    job = start(uploaded({"x": 1}))
    tasks.bring_in(job.uid)
    job.refresh_from_db()
    assert job.state == "failed"
    assert job.reason.startswith("rows.jsonl: no known format has these fields: x")
    assert start(job).state == "waiting"


def test_what_nobody_foresaw_is_a_failure_too(uploaded, monkeypatch):
    job = start(uploaded(NATIVE))
    import_jobs.file_of(job).unlink()
    tasks.bring_in(job.uid)
    job.refresh_from_db()
    assert (job.state, job.reason.endswith("no such file")) == ("failed", True)
    job = start(uploaded(NATIVE))
    monkeypatch.setattr(imports, "import_file", lambda **_: 1 / 0)
    tasks.bring_in(job.uid)
    job.refresh_from_db()
    assert job.reason == "ZeroDivisionError: division by zero"


def test_options_are_checked_before_anything_waits(uploaded):
    job = uploaded(NATIVE)
    with pytest.raises(Invalid, match="wings"):
        start(job, wings=2)
    job.refresh_from_db()
    assert job.state == "uploaded"


@pytest.mark.parametrize("state", ["waiting", "running", "done"])
def test_an_import_under_way_or_done_cannot_be_started_or_discarded(uploaded, state):
    job = uploaded(NATIVE)
    Import.objects.filter(pk=job.pk).update(state=state)
    with pytest.raises(import_jobs.NotNow):
        start(job)
    with pytest.raises(import_jobs.NotNow):
        import_jobs.discard(by=job.created_by, job=job)


def test_two_workers_do_not_import_the_same_upload(uploaded):
    job = start(uploaded(NATIVE))
    now = timezone.now()
    assert import_jobs.claim(uid=job.uid, now=now).attempt == 1
    assert import_jobs.claim(uid=job.uid, now=now) is None
    assert import_jobs.claim(uid="unknown", now=now) is None


def test_a_dead_workers_import_is_taken_over_and_its_counts_add_up(
    uploaded, rung, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr(batches, "SOLUTIONS", 2)
    job = start(uploaded(*({**NATIVE, "problem": f"{n}?"} for n in range(6))))
    now = timezone.now()
    first = import_jobs.claim(uid=job.uid, now=now)
    work = imports.import_file

    def dies(**given):
        def told(report):
            given["on_progress"](report)
            if report.rows >= 4:
                raise KeyboardInterrupt  # as little cleaning up as after a kill

        return work(**{**given, "on_progress": told})

    monkeypatch.setattr(imports, "import_file", dies)
    with pytest.raises(KeyboardInterrupt):
        import_jobs.carry_out(by=job.created_by, job=first)
    monkeypatch.setattr(imports, "import_file", work)
    job.refresh_from_db()
    assert (job.state, job.report["solutions"], Solution.objects.count()) == ("running", 4, 4)
    rung.clear()
    import_jobs.attend(by=job.created_by, now=now + timedelta(seconds=30))
    assert rung == []
    later = now + timedelta(minutes=5)
    import_jobs.attend(by=job.created_by, now=later)
    assert rung == [("workers.bring_in", "export", (job.uid,))]
    second = import_jobs.claim(uid=job.uid, now=later)
    import_jobs.carry_out(by=job.created_by, job=second)
    job.refresh_from_db()
    assert (job.state, job.report["rows"], job.report["solutions"]) == ("done", 6, 6)
    assert job.report["human_verdicts"] == 6


def test_a_worker_that_lost_its_lease_stops_at_the_next_batch(uploaded, monkeypatch):
    monkeypatch.setattr(batches, "SOLUTIONS", 1)
    job = start(uploaded(*({**NATIVE, "problem": f"{n}?"} for n in range(3))))
    now = timezone.now()
    slow = import_jobs.claim(uid=job.uid, now=now)
    import_jobs.claim(uid=job.uid, now=now + timedelta(minutes=5))
    import_jobs.carry_out(by=job.created_by, job=slow)
    job.refresh_from_db()
    assert (job.state, job.attempt, Solution.objects.count()) == ("running", 2, 1)


def test_a_cancelled_import_stops_and_keeps_what_is_stored(uploaded, monkeypatch):
    monkeypatch.setattr(batches, "SOLUTIONS", 1)
    job = start(uploaded(*({**NATIVE, "problem": f"{n}?"} for n in range(3))))
    claimed = import_jobs.claim(uid=job.uid, now=timezone.now())
    import_jobs.cancel(by=job.created_by, job=job, now=timezone.now())
    import_jobs.carry_out(by=job.created_by, job=claimed)
    job.refresh_from_db()
    assert (job.state, Solution.objects.count()) == ("cancelled", 1)
    assert start(job).state == "waiting"


def test_a_discarded_upload_leaves_the_disk(uploaded, django_capture_on_commit_callbacks):
    job = uploaded(NATIVE)
    place = import_jobs.file_of(job)
    with django_capture_on_commit_callbacks(execute=True):
        import_jobs.discard(by=job.created_by, job=job)
    assert not place.parent.exists()
    assert not Import.objects.exists()
    assert Event.objects.filter(action="upload discarded", subject=job.uid).exists()


def test_an_upload_that_nobody_imports_is_discarded_after_a_week(uploaded, project):
    kept, old = uploaded(NATIVE), uploaded(NATIVE)
    Import.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=8))
    done = factories.ImportFactory(project=project, state=ImportState.DONE)
    Import.objects.filter(pk=done.pk).update(created_at=timezone.now() - timedelta(days=800))
    import_jobs.attend(by=project.created_by, now=timezone.now())
    assert set(Import.objects.values_list("pk", flat=True)) == {kept.pk, done.pk}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("rows.jsonl", "rows.jsonl"),
        ("../../etc/passwd", "passwd"),
        (r"C:\data\my rows.csv", "my_rows.csv"),
        ("..", "file"),
        ("", "file"),
        ("/", "file"),
        ("ünï.json", "ünï.json"),
        ("x" * 300 + ".csv", "x" * 96 + ".csv"),
        (".hidden", "hidden"),
        ("\x00\n", "file"),
    ],
)
def test_a_file_name_cannot_leave_its_folder(given, kept):
    assert uploads.tidy_name(given) == kept


def test_parts_that_nobody_finished_are_removed_after_a_day(tmp_path):
    import os

    old, new = uploads.folder() / ".part-old", uploads.folder() / ".part-new"
    for path in (old, new):
        path.write_bytes(b"x")
    os.utime(old, (0, 0))
    uploads.folder()
    assert (old.exists(), new.exists()) == (False, True)


def test_a_full_disk_or_a_huge_file_is_refused_before_it_arrives(monkeypatch):
    with pytest.raises(uploads.TooLarge, match=r"manage\.py import"):
        uploads.check_size(uploads.LIMIT + 1)
    monkeypatch.setattr(uploads, "RESERVE", 10**18)
    with pytest.raises(uploads.TooLarge, match="no room"):
        uploads.check_size(1)


def test_old_hashes_become_those_of_the_statement_alone(project):
    """Migration 0005, on rows as version 0.2.0 stored them."""
    migration = import_module("labeling.migrations.0005_problem_identity")
    first, second = (
        factories.ProblemFactory(project=project, statement="A  b?", answer=answer)
        for answer in ("4", "four")
    )
    solution = factories.SolutionFactory(problem=first)
    old = second.content_hash
    migration.rehash(apps, SimpleNamespace(connection=connection))
    for row in (first, second, solution):
        row.refresh_from_db()
    assert first.content_hash == problem_hash("A b?")
    assert second.content_hash == old
    assert solution.content_hash == content_hash([first.content_hash, *solution.steps])
