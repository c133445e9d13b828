"""Freezing under way: progress, a killed process, two processes, labels that change meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from urllib.parse import quote

import pytest
from django.conf import settings as django_settings
from django.db import connection

from labeling.domain.releases import Rule
from labeling.models import Decision, Event, Snapshot
from labeling.selectors import labels
from labeling.services import snapshots
from labeling.services.freezing import writing
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
COUNT = 24
FREEZER = """
import sys, time
import django
django.setup()
from django.utils import timezone
from labeling.models import Snapshot
from labeling.selectors import labels
from labeling.services import snapshots
from labeling.services.freezing import moments, writing
writing.CHECKPOINT_SECONDS, writing._AT_ONCE = 0, 3
say = moments.Watcher.say
def pausing(self, phase, done=0, total=0):
    say(self, phase, done, total)
    if done >= 9:
        print("nine", flush=True)
        time.sleep(120)
moments.Watcher.say = pausing
snapshot = Snapshot.objects.get(uid=sys.argv[1])
snapshots.freeze(by=snapshot.created_by, snapshot=snapshot, now=timezone.now())
"""


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.VAR_DIR = tmp_path


@pytest.fixture
def decided():
    """A project with solutions whose first error is the second step."""
    project = factories.ProjectFactory()
    for number in range(COUNT):
        split = "test" if number % 5 == 0 else "train"
        solution = factories.SolutionFactory(problem__project=project, problem__split=split)
        Decision.objects.filter(solution=solution).update(state="consensus", first_error=1)
    return project


def asked_for(project, rule=Rule()):  # noqa: B008 - frozen
    return snapshots.request(
        by=project.created_by, project=project, name="release", rule=rule.to_dict()
    )


def freeze(snapshot):
    return snapshots.freeze(by=snapshot.created_by, snapshot=snapshot, now=NOW)


def forget(snapshot):
    """Return a frozen snapshot's files and content hash, and take it away with its folder."""
    folder = snapshots.folder_of(snapshot)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    snapshot.delete()
    return files, snapshot.content_hash


def killed_at_nine(snapshot):
    """Freeze in another process, kill it when nine solutions are written."""
    database = connection.settings_dict
    url = f"postgresql://{database['USER']}@/{database['NAME']}?host={quote(database['HOST'])}"
    env = {
        **os.environ, "DATABASE_URL": url, "VAR_DIR": str(django_settings.VAR_DIR),
        "DJANGO_SETTINGS_MODULE": "annotator.settings",
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-c", FREEZER, snapshot.uid], env=env, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "nine\n"
    under_way = Snapshot.objects.get(pk=snapshot.pk)
    with pytest.raises(snapshots.BeingFrozen):
        freeze(snapshot)
    os.kill(process.pid, signal.SIGKILL)
    with process:  # closes the pipe
        assert process.wait() == -signal.SIGKILL
    return under_way


def freeze_once_free(snapshot):
    """Freeze as soon as Postgres has noticed that the killed process is gone."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return freeze(snapshot)
        except snapshots.BeingFrozen:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def rendered(monkeypatch):
    """Return a list that gets the id of each record that is rendered from now on."""
    ids = []
    line = writing.Writer.line
    monkeypatch.setattr(
        writing.Writer,
        "line",
        lambda self, texts, said: ids.append(texts[0]) or line(self, texts, said),
    )
    return ids


def left_behind():
    return [path.name for path in (django_settings.VAR_DIR / "snapshots").glob(".*")]


def test_a_killed_freeze_is_gone_on_with_and_gives_the_same_bytes(decided, monkeypatch):
    files, digest = forget(freeze(asked_for(decided)))
    snapshot = asked_for(decided)
    # the stamp counts events: those of both requests and of the first freeze stand before the kill
    under_way = killed_at_nine(snapshot)
    assert (under_way.progress["done"], under_way.progress["total"]) == (9, COUNT)
    assert left_behind() == [f".draft-{snapshot.uid}"]
    ids = rendered(monkeypatch)
    done = freeze_once_free(snapshot)
    assert len(ids) == COUNT - 9
    assert done.content_hash == digest
    assert {p.name: p.read_bytes() for p in snapshots.folder_of(done).iterdir()} == files
    assert left_behind() == []
    assert done.progress == {}


def test_after_an_error_half_way_the_connection_serves_the_next_attempt(decided, monkeypatch):
    monkeypatch.setattr(labels, "_AT_ONCE", 2)
    monkeypatch.setattr(writing, "_AT_ONCE", 2)
    snapshot = asked_for(decided)

    def full(*_):
        raise OSError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(writing.Draft, "write", full)
        with pytest.raises(OSError, match="no space") as failed:
            freeze(snapshot)
    assert failed.traceback  # holds the frames of the rows that were not read
    assert freeze(snapshot).counts["records"] == COUNT


def test_labels_that_changed_after_the_kill_begin_the_files_anew(decided, monkeypatch):
    snapshot = asked_for(decided)
    killed_at_nine(snapshot)
    Decision.objects.filter(project=decided).update(first_error=2)
    Event.objects.create(project=decided, actor=decided.created_by, action="decisions recomputed")
    ids = rendered(monkeypatch)
    done = freeze_once_free(snapshot)
    assert len(ids) == COUNT
    _, digest = forget(done)
    assert freeze(asked_for(decided)).content_hash == digest


def test_a_draft_whose_bytes_are_not_those_of_its_journal_is_begun_anew(decided, monkeypatch):
    _, digest = forget(freeze(asked_for(decided)))
    snapshot = asked_for(decided)
    killed_at_nine(snapshot)
    path = django_settings.VAR_DIR / "snapshots" / f".draft-{snapshot.uid}" / "train.jsonl"
    data = bytearray(path.read_bytes())
    data[10] ^= 1
    path.write_bytes(data)
    ids = rendered(monkeypatch)
    assert freeze_once_free(snapshot).content_hash == digest
    assert len(ids) == COUNT


def test_two_workers_at_once_publish_one_snapshot(decided):
    requests = [asked_for(decided) for _ in range(2)]
    barrier = Barrier(4)

    def work(snapshot):
        barrier.wait()
        try:
            return freeze(snapshot).content_hash
        except (snapshots.BeingFrozen, Snapshot.DoesNotExist):
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        hashes = list(pool.map(work, requests * 2))
    assert len(set(hashes) - {None}) == 1
    (published,) = Snapshot.objects.all()
    assert published.frozen_at is not None
    told = Event.objects.filter(action="snapshot frozen").order_by("pk")
    assert [event.subject for event in told] == [published.uid] * 2
    assert [event.details.get("requested_as") for event in told] == [None, *published.other_uids]
    folders = [path.name for path in (django_settings.VAR_DIR / "snapshots").iterdir()]
    assert folders == [published.folder]


def test_what_waits_unheard_is_rung_for_and_foreign_drafts_go(decided, monkeypatch):
    rung = []
    monkeypatch.setattr(snapshots, "ring", lambda *, snapshot: rung.append(snapshot.uid))
    waiting, hopeless = asked_for(decided), asked_for(decided, Rule(limit=1))
    snapshots.fail(snapshot=hopeless, reason="no space left on device")
    rung.clear()
    root = django_settings.VAR_DIR / "snapshots"
    for name in (waiting.uid, hopeless.uid, "gone"):
        (root / f".draft-{name}").mkdir(parents=True)
    at = waiting.created_at
    snapshots.attend(now=at + timedelta(seconds=59))
    assert rung == []
    snapshots.attend(now=at + timedelta(seconds=61))
    assert rung == [waiting.uid]
    assert left_behind() == [f".draft-{waiting.uid}"]
    Snapshot.objects.filter(pk=waiting.pk).update(progress={"at": at.timestamp() + 60})
    snapshots.attend(now=at + timedelta(seconds=61))
    assert rung == [waiting.uid]


def test_a_failed_snapshot_is_tried_again_when_asked(decided):
    snapshot = asked_for(decided)
    snapshots.fail(snapshot=snapshot, reason="no space left on device")
    snapshots.retry(by=decided.created_by, snapshot=snapshot)
    snapshot.refresh_from_db()
    assert snapshot.reason == ""
    assert freeze(snapshot).counts["records"] == COUNT
