"""A snapshot's formats as files: each loads in the tool it is for, same bytes whenever written."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import connection

from labeling import dispatch
from labeling.domain.exports import FORMATS
from labeling.domain.labels import LabelerKind, VerdictState
from labeling.domain.refusals import Invalid
from labeling.domain.releases import Rule
from labeling.models import Event, Problem
from labeling.services import labelers, snapshot_formats, snapshots, verdicts
from labeling.services.freezing import moments, renditions
from tests import factories
from workers import tasks

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
NAMES = [form.name for form in FORMATS]
CRITIQUE = "<analysis_1>\nNo.\n</analysis_1>\n\n<conclusion>\nIncorrect\n</conclusion>"


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.VAR_DIR = tmp_path


@pytest.fixture
def frozen(project):
    """Ten solutions, two of them on the test side; every third is wrong from its first step on.

    The first lines hold no counts and no critique: readers that guess types from a file's beginning
    would guess wrong.
    """
    judge, mc = (
        labelers.register(
            by=project.created_by, project=project, kind=kind, name=kind, config={"mode": "soft"}
        )
        for kind in (LabelerKind.JUDGE, LabelerKind.MC)
    )
    for number in range(10):
        solution = factories.SolutionFactory(
            problem__project=project, problem__split="test" if number > 7 else "train",
            problem__source="ProcessBench/gsm8k", external_id=f"gsm8k-{number}",
            content_hash=f"{number:032x}",
        )  # fmt: skip
        error = 0 if number % 3 == 2 else -1
        counts = {"mc_k": [4, 4, 2], "mc_n": [8, 8, 8]} if number > 3 else {}
        for labeler, fields in (
            (judge, {"critique": CRITIQUE if error == 0 else ""}),
            (mc, counts),
        ):
            new = verdicts.NewVerdict(solution.pk, VerdictState.SCORED, error, fields=fields)
            verdicts.record(by=project.created_by, labeler=labeler, verdicts=[new])
    return snapshots.freeze_now(
        by=project.created_by, project=project, name="release", rule=Rule(critiques=True), now=NOW
    )


def written(snapshot, name):
    snapshot_formats.ask(by=snapshot.created_by, snapshot=snapshot, name=name)
    snapshot_formats.write_missing(by=snapshot.created_by, snapshot=snapshot)
    snapshot.refresh_from_db()
    return snapshots.folder_of(snapshot) / "formats" / name


@pytest.fixture
def load(monkeypatch, tmp_path):
    """The datasets library, on a folder, with a cache of the test's own."""
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    return lambda folder: datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))


def test_the_native_folder_loads_as_a_dataset(frozen, load):
    loaded = load(snapshots.folder_of(frozen))
    assert {split: len(rows) for split, rows in loaded.items()} == {"train": 8, "test": 2}
    last = loaded["test"][1]
    assert (last["counts"], last["first_error"]) == ([[4, 8], [4, 8], [2, 8]], -1)
    assert loaded["train"][2]["sources"]["critique"] == CRITIQUE


@pytest.mark.parametrize("name", [None, *NAMES])
def test_a_release_without_a_test_side_loads_too(frozen, project, load, name):
    Problem.objects.filter(project=project).update(split="train")
    again = snapshots.freeze_now(
        by=project.created_by, project=project, name="x", rule=Rule(critiques=True), now=NOW
    )
    folder = written(again, name) if name else snapshots.folder_of(again)
    assert set(load(folder)) == {"train"}


@pytest.mark.parametrize("name", NAMES)
def test_every_format_loads_as_a_dataset(frozen, load, name):
    loaded = load(written(frozen, name))
    rows = {
        file.partition(".")[0]: of["rows"] for file, of in frozen.formats[name]["files"].items()
    }
    assert {split: len(rows) for split, rows in loaded.items()} == rows
    assert sum(rows.values()) == (3 if name == "judge-chains" else 10)


def test_parquet_holds_the_native_rows(frozen, load):
    folder = snapshots.folder_of(frozen)
    assert load(written(frozen, "parquet"))["train"].to_list() == load(folder)["train"].to_list()


@pytest.mark.parametrize("name", NAMES)
def test_the_same_bytes_come_again_from_the_native_files(frozen, name):
    folder = written(frozen, name)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    shutil.rmtree(folder)
    form = next(form for form in FORMATS if form.name == name)
    native = snapshots.folder_of(frozen)
    assert renditions.write(native, form, name="release", soft=False) == frozen.formats[name]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert sorted(path.name for path in folder.parent.iterdir()) == [name]
    assert sorted(path.name for path in native.parent.iterdir()) == [native.name]


def test_the_card_of_a_format_says_what_it_does_not_hold(frozen):
    card = (written(frozen, "judge-chains") / "README.md").read_text()
    assert "| no judge's words that name the decided first error | 7 |" in card
    card = (written(frozen, "trl") / "README.md").read_text()
    assert "| cut after the first error: the format has no steps without a label | 3 |" in card


def test_a_format_is_asked_for_once_and_unknown_ones_are_refused(frozen):
    for _ in range(2):
        written(frozen, "trl")
    actions = Event.objects.filter(subject=frozen.uid, action__startswith="format")
    assert sorted(actions.values_list("action", flat=True)) == [
        "format requested", "format written",
    ]  # fmt: skip
    with pytest.raises(Invalid, match="none of"):
        snapshot_formats.ask(by=frozen.created_by, snapshot=frozen, name="arrow")


def test_a_format_that_failed_says_why_and_is_tried_when_asked_again(frozen, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(renditions, "write", lambda *_, **__: 1 / 0)
        written(frozen, "qwen")
    assert frozen.formats["qwen"] == {"error": "ZeroDivisionError: division by zero"}
    rung = []
    monkeypatch.setattr(dispatch, "ring", lambda *args, **how: rung.append((args, how)))
    snapshot_formats.attend()
    assert rung == []
    snapshot_formats.ask(by=frozen.created_by, snapshot=frozen, name="qwen")
    snapshot_formats.attend()
    bell = ("workers.freeze", frozen.uid)
    # the sweeper's, every five seconds while one is written, must not pile up
    assert rung == [(bell, {"queue": "export"}), (bell, {"queue": "export", "expires": 20.0})]


@pytest.mark.django_db(transaction=True)
def test_a_bell_for_what_another_worker_writes_is_answered_quietly(frozen, caplog):
    snapshot_formats.ask(by=frozen.created_by, snapshot=frozen, name="trl")
    with ThreadPoolExecutor(1) as other, moments.alone_with(frozen):
        other.submit(_heard, frozen).result(60)
    frozen.refresh_from_db()
    assert (frozen.formats, frozen.reason) == ({"trl": {}}, "")
    assert not [record for record in caplog.records if record.levelname != "DEBUG"]


def _heard(snapshot):
    try:
        tasks.freeze(snapshot.uid)
    finally:
        connection.close()


def test_formats_asked_for_with_a_snapshot_go_over_to_its_equal(frozen, project):
    rule = Rule(critiques=True)
    again = snapshots.request(
        by=project.created_by, project=project, name="x", rule=rule.to_dict(), formats=["trl"]
    )
    same = snapshots.freeze(by=project.created_by, snapshot=again, now=NOW)
    assert same.pk == frozen.pk
    assert same.formats == {"trl": {}}
