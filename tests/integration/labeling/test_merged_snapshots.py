"""Requests that meet: the same rule again, labels that change between two attempts, one disk."""

from __future__ import annotations

import errno
import json
import time
from datetime import UTC, datetime
from threading import Event as Signal
from threading import Thread

import pytest
from django.db import connection, transaction

from labeling.domain.releases import Rule
from labeling.models import Decision, Event, Project, Snapshot
from labeling.services import decisions, retraining, snapshot_formats, snapshots
from labeling.services.freezing import moments, writing
from tests import factories
from tests.api import Api
from workers import tasks

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
COUNT = 24


class Killed(BaseException):
    """Nobody expects it, as nobody expects SIGKILL."""


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    return tmp_path / "snapshots"


@pytest.fixture
def decided():
    project = factories.ProjectFactory()
    for _ in range(COUNT):
        solution = factories.SolutionFactory(problem__project=project, problem__split="train")
        Decision.objects.filter(solution=solution).update(state="consensus", first_error=1)
    return project


def asked_for(project, formats=()):
    return snapshots.request(
        by=project.created_by, project=project, name="release", rule=Rule().to_dict(),
        formats=formats,
    )  # fmt: skip


def freeze(snapshot):
    return snapshots.freeze(by=snapshot.created_by, snapshot=snapshot, now=NOW)


class TestTheSameRuleAgain:
    def test_the_first_snapshot_answers_by_either_uid(self, decided):
        first, again = freeze(asked_for(decided)), asked_for(decided)
        assert freeze(again).pk == first.pk
        api = Api(decided)
        for uid in (first.uid, again.uid):
            answer = api(decided.created_by, "get", f"snapshots/{uid}")
            assert (answer.status_code, answer.json()["uid"]) == (200, first.uid)
        assert api(decided.created_by, "get", "snapshots/unheard-of").status_code == 404

    def test_whoever_asked_hears_that_it_is_frozen(self, decided):
        hook = factories.WebhookFactory(project=decided, events=["snapshot.frozen"])
        first, again = freeze(asked_for(decided)), asked_for(decided)
        freeze(again)
        told = [json.loads(row.body)["data"] for row in hook.deliveries.order_by("pk")]
        assert [data["snapshot"] for data in told] == [first.uid, first.uid]
        assert [data.get("requested_as") for data in told] == [None, again.uid]

    def test_a_format_asked_for_meanwhile_is_kept(self, decided):
        first, again = freeze(asked_for(decided)), asked_for(decided)
        asked = Signal()

        def ask():
            with transaction.atomic():
                snapshot_formats.ask(by=decided.created_by, snapshot=first, name="trl")
                asked.set()
                time.sleep(0.5)
            connection.close()

        thread = Thread(target=ask)
        thread.start()
        assert asked.wait(10)
        freeze(again)
        thread.join()
        assert Snapshot.objects.get().formats == {"trl": {}}

    def test_a_format_of_the_merged_one_is_one_of_the_first(self, decided):
        first, again = freeze(asked_for(decided)), asked_for(decided)
        freeze(again)
        snapshot_formats.ask(by=decided.created_by, snapshot=again, name="trl")
        first.refresh_from_db()
        assert first.formats == {"trl": {}}

    def test_a_format_asked_for_while_it_is_frozen_is_kept(self, decided, monkeypatch):
        snapshot, seal = asked_for(decided), writing.seal

        def asking(*given):
            snapshot_formats.ask(by=decided.created_by, snapshot=snapshot, name="trl")
            return seal(*given)

        monkeypatch.setattr(writing, "seal", asking)
        assert freeze(snapshot).formats == {"trl": {}}


def test_a_freeze_that_goes_on_after_a_kill_is_of_one_moment(decided, monkeypatch):
    Project.objects.filter(pk=decided.pk).update(policy_version=2, decided_from=2)
    snapshot = asked_for(decided)
    monkeypatch.setattr(writing, "CHECKPOINT_SECONDS", 0)
    monkeypatch.setattr(writing, "_AT_ONCE", 3)
    say, refresh, chunks = moments.Watcher.say, decisions.refresh, []

    def dying(self, phase, done=0, total=0):
        say(self, phase, done, total)
        if done >= 9:
            raise Killed

    def once(**given):
        if chunks:
            raise Killed
        chunks.append(refresh(**given))

    monkeypatch.setattr(moments.Watcher, "say", dying)
    with pytest.raises(Killed):
        freeze(snapshot)
    monkeypatch.setattr(moments.Watcher, "say", say)
    monkeypatch.setattr(decisions, "CHUNK", 12)
    monkeypatch.setattr(decisions, "refresh", once)
    project = Project.objects.get(pk=decided.pk)
    with pytest.raises(Killed):
        decisions.catch_up(by=decided.created_by, project=project)
    now = Decision.objects.filter(project=decided, state="consensus")
    assert now.count() == COUNT - 12
    records = [
        json.loads(line)
        for path in snapshots.folder_of(freeze(snapshot)).glob("*.jsonl")
        for line in path.read_text().splitlines()
    ]
    assert {row["id"] for row in records} == set(
        now.values_list("solution__content_hash", flat=True)
    )


def test_a_draft_begun_while_others_are_looked_after_stays(decided, monkeypatch, own_folder):
    waiting = asked_for(decided)
    begun = own_folder / ".draft-begun"

    def ring(*, snapshot):
        begun.mkdir(parents=True)

    monkeypatch.setattr(snapshots, "ring", ring)
    Snapshot.objects.filter(pk=waiting.pk).update(progress={"at": 0})
    snapshots.attend(now=NOW)
    assert begun.is_dir()


def test_a_folder_of_labels_that_changed_before_the_commit_goes(decided, own_folder):
    snapshot = asked_for(decided)
    (own_folder / f"{'0' * 12}-{snapshot.uid}").mkdir(parents=True)
    (other := own_folder / f"{'0' * 12}-{'a' * len(snapshot.uid)}").mkdir()
    done = freeze(snapshot)
    assert set(own_folder.iterdir()) == {snapshots.folder_of(done), other}


def test_a_full_disk_is_told_without_its_path(decided, monkeypatch):
    snapshot = asked_for(decided)

    def full(**_):
        raise OSError(errno.ENOSPC, "No space left on device", "/srv/where/it/is")

    monkeypatch.setattr(snapshots, "freeze", full)
    tasks.freeze(snapshot.uid)
    snapshot.refresh_from_db()
    assert snapshot.reason == "No space left on device"


def test_one_process_at_a_time_freezes_for_a_retraining(decided, monkeypatch):
    asked, seen = [], []
    monkeypatch.setattr(retraining, "_request_if_due", lambda *given: asked.append(given))

    def other():
        seen.append(retraining.request_if_due(by=decided.created_by, project=decided, now=NOW))
        connection.close()

    with moments.alone_retraining(decided) as alone:
        assert alone
        (thread := Thread(target=other)).start()
        thread.join()
        assert (seen, asked) == ([None], [])
    retraining.request_if_due(by=decided.created_by, project=decided, now=NOW)
    assert len(asked) == 1


def test_each_chunk_of_decisions_made_again_leaves_its_event(decided, monkeypatch):
    monkeypatch.setattr(decisions, "CHUNK", 10)
    assert decisions.recompute(by=decided.created_by, project=decided) == COUNT
    told = Event.objects.filter(action="decisions recomputed").order_by("pk")
    assert [event.details for event in told] == [
        {"solutions": n, "changed": n} for n in (10, 10, 4)
    ]


def test_scheduled_retrainings_freeze_where_long_work_waits(settings):
    entry = settings.CELERY_BEAT_SCHEDULE["retrain-where-due"]
    assert entry["options"] == {"queue": "export", "expires": entry["schedule"]}
