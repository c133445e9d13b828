"""Freezing in the browser: the rule, the progress as it moves, what came of it, other formats."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling import dispatch
from labeling.domain.labels import LabelerKind
from labeling.models import Decision, Snapshot
from labeling.services import snapshot_formats, snapshots
from tests import factories
from tests.functional.looks import audit, audits, in_every_look
from workers import tasks


@pytest.fixture(autouse=True)
def surroundings(settings, tmp_path, monkeypatch, transactional_db):
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr(dispatch, "ring", lambda *args, **options: None)


@pytest.fixture
def decided(project):
    """Three solutions of which two are decided, one of an evaluation set."""
    for number, source in enumerate(("ours", "ours", "ProcessBench/gsm8k")):
        solution = factories.SolutionFactory(
            problem__project=project, problem__source=source, problem__split="train"
        )
        if number:
            Decision.objects.filter(solution=solution).update(state="consensus", first_error=1)
    factories.LabelerFactory(project=project, kind=LabelerKind.JUDGE)
    return project


def frozen(project, formats=()):
    snapshot = snapshots.request(
        by=project.created_by, project=project, name="<b>release</b>", rule={}, formats=formats
    )
    tasks.freeze(snapshot.uid)
    snapshot.refresh_from_db()
    return snapshot


def test_a_snapshot_is_asked_for_watched_and_written_in_another_format(
    page: Page, sign_in, decided, owner
):
    sign_in(page, owner)
    page.goto(reverse("data", args=[decided.uid]))
    page.get_by_role("link", name="New snapshot").click()
    page.get_by_label("Name").fill("spring")
    page.get_by_label("source ProcessBench/gsm8k").check()
    page.get_by_role("button", name="Freeze").click()
    expect(page.get_by_text("waits for a worker of queue")).to_be_visible()
    snapshot = Snapshot.objects.get()
    assert snapshot.rule["without"] == ["source:ProcessBench/gsm8k"]
    progress = {"phase": "writing", "done": 1234, "total": 5000, "at": 0}
    Snapshot.objects.filter(pk=snapshot.pk).update(progress=progress)
    expect(page.get_by_text("1,234 of 5,000 solutions")).to_be_visible()
    tasks.freeze(snapshot.uid)
    expect(page.get_by_role("heading", name="Left out")).to_be_visible()
    row = page.get_by_role("row", name="the problem stands in an evaluation set")
    expect(row.get_by_role("cell")).to_have_text("1")
    page.get_by_role("button", name="Write TRL stepwise").click()
    expect(page.get_by_text("is being written")).to_be_visible()
    tasks.freeze(snapshot.uid)
    link = page.get_by_role("link", name="TRL stepwise train.jsonl")
    with page.expect_download() as download:
        link.click()
    path = snapshots.folder_of(Snapshot.objects.get()) / "formats" / "trl" / "train.jsonl"
    assert download.value.path().read_bytes() == path.read_bytes()


def test_the_list_of_snapshots_moves_too(page: Page, sign_in, decided, owner):
    snapshot = snapshots.request(by=owner, project=decided, name="spring", rule={})
    sign_in(page, owner)
    page.goto(reverse("data", args=[decided.uid]))
    progress = {"phase": "writing", "done": 7, "total": 9, "at": 0}
    Snapshot.objects.filter(pk=snapshot.pk).update(progress=progress)
    expect(page.get_by_text("7 of 9 solutions")).to_be_visible()
    tasks.freeze(snapshot.uid)
    expect(page.get_by_role("link", name="Train spring")).to_be_visible()


def test_a_snapshot_that_failed_says_why_and_is_tried_again(page: Page, sign_in, project, owner):
    snapshot = snapshots.request(by=owner, project=project, name="spring", rule={})
    tasks.freeze(snapshot.uid)
    sign_in(page, owner)
    page.goto(reverse("snapshot", args=[project.uid, snapshot.uid]))
    expect(page.get_by_text("no solution fits the rule")).to_be_visible()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("waits for a worker of queue")).to_be_visible()


@in_every_look
def test_the_pages_are_accessible_and_fit(page, decided, owner, sign_in):
    done = frozen(decided, formats=("trl", "parquet", "judge-chains"))
    snapshot_formats.ask(by=owner, snapshot=done, name="qwen")
    moving = snapshots.request(by=owner, project=decided, name="moving", rule={"dedup": True})
    progress = {"phase": "writing", "done": 1234, "total": 5000, "at": 0}
    Snapshot.objects.filter(pk=moving.pk).update(progress=progress)
    sign_in(page, owner)
    addresses = {
        "new": reverse("new_snapshot", args=[decided.uid]),
        "data": reverse("data", args=[decided.uid]),
        "moving": reverse("snapshot", args=[decided.uid, moving.uid]),
        "frozen": reverse("snapshot", args=[decided.uid, done.uid]),
    }
    assert audits(page, addresses) == {}
    page.get_by_text("Data card").click()
    page.get_by_text("Rule", exact=True).click()
    assert audit(page) == []
