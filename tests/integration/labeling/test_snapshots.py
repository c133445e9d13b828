"""Frozen releases: immutable, reproducible, honest about what they hold."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

import pytest

from labeling.domain.labels import LabelerKind, VerdictState
from labeling.domain.refusals import Invalid
from labeling.domain.releases import Rule
from labeling.models import Decision, Snapshot
from labeling.services import labelers, snapshots, verdicts
from tests import factories
from trainer.records import read_jsonl

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.VAR_DIR = tmp_path


@pytest.fixture
def agreed(project):
    """Three solutions of the training side, one of the test side; first errors 0, 1, -1, 2."""
    solutions = [
        factories.SolutionFactory(problem__project=project, problem__split=split)
        for split in ("train", "train", "train", "test")
    ]
    for kind in (LabelerKind.MC, LabelerKind.JUDGE):
        labeler = labelers.register(
            by=project.created_by, project=project, kind=kind, name=kind, config={"kind": kind}
        )
        new = [
            verdicts.NewVerdict(
                s.pk,
                VerdictState.SCORED,
                error,
                fields={"mc_k": [2, 0, None], "mc_n": [2, 8, None]} if kind == "mc" else {},
            )
            for s, error in zip(solutions, (0, 1, -1, 2), strict=True)
        ]
        verdicts.record(by=project.created_by, labeler=labeler, verdicts=new)
    return solutions


def freeze(project, rule=Rule(), name="release"):  # noqa: B008 - frozen
    return snapshots.freeze_now(
        by=project.created_by, project=project, name=name, rule=rule, now=NOW
    )


def test_the_files_hold_the_decided_labels(project, agreed):
    snapshot = freeze(project)
    folder = snapshots.folder_of(snapshot)
    train = {r.id: r for r in read_jsonl(folder / "train.jsonl")}
    assert train[agreed[0].content_hash].labels == (0, None, None)
    assert train[agreed[1].content_hash].labels == (1, 0, None)
    assert train[agreed[1].content_hash].counts == ((2, 2), (0, 8), None)
    assert train[agreed[2].content_hash].labels == (1, 1, 1)
    assert [r.id for r in read_jsonl(folder / "test.jsonl")] == [agreed[3].content_hash]
    # right: 0 + 1 + 3; wrong: 1 + 1 + 0; without loss: 2 + 1 + 0
    assert snapshot.counts["train"] == {
        "records": 3, "steps": 9, "right": 4, "wrong": 2, "without_loss": 3,
        "flawless": 1, "with_counts": 3,
    }  # fmt: skip


def test_the_hash_is_that_of_the_sums_of_the_files(project, agreed):
    snapshot = freeze(project)
    folder = snapshots.folder_of(snapshot)
    sums = "".join(
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
        for name in ("train.jsonl", "test.jsonl")
    )
    assert (folder / "SHA256SUMS").read_text() == sums
    assert snapshot.content_hash == hashlib.sha256(sums.encode()).hexdigest()


def test_the_same_rule_over_the_same_labels_is_the_same_snapshot(project, agreed):
    first = freeze(project)
    assert freeze(project).pk == first.pk
    assert Snapshot.objects.count() == 1


def test_a_new_label_makes_a_new_snapshot_and_the_old_one_keeps_its_bytes(
    project, agreed, annotator
):
    first = freeze(project)
    before = (snapshots.folder_of(first) / "train.jsonl").read_bytes()
    labeler = labelers.person(by=annotator, project=project, kind=LabelerKind.ADJUDICATOR)
    verdicts.record(
        by=annotator,
        labeler=labeler,
        verdicts=[verdicts.NewVerdict(agreed[0].pk, VerdictState.SCORED, 2)],
    )
    second = freeze(project)
    assert second.content_hash != first.content_hash
    assert (snapshots.folder_of(first) / "train.jsonl").read_bytes() == before


def test_a_limit_takes_a_nested_part_of_the_training_side_only(project, agreed):
    whole, part = freeze(project), freeze(project, Rule(limit=2))
    lines = (snapshots.folder_of(whole) / "train.jsonl").read_text().splitlines()
    assert (snapshots.folder_of(part) / "train.jsonl").read_text().splitlines() == lines[:2]
    assert part.counts["test"]["records"] == 1


def test_one_labelers_verdicts_can_be_frozen(project, agreed):
    labeler = labelers.register(
        by=project.created_by, project=project, kind=LabelerKind.JUDGE, name="", config={"k": 1}
    )
    verdicts.record(
        by=project.created_by,
        labeler=labeler,
        verdicts=[verdicts.NewVerdict(agreed[0].pk, VerdictState.SCORED, 2)],
    )
    snapshot = freeze(project, Rule(labeler=labeler.uid))
    rows = [
        json.loads(line)
        for line in (snapshots.folder_of(snapshot) / "train.jsonl").read_text().splitlines()
    ]
    assert [(row["first_error"], row["sources"]["labels"]) for row in rows] == [(2, "judge")]


def test_a_rule_that_picks_nothing_or_means_nothing_is_refused(project):
    with pytest.raises(snapshots.NothingToFreeze):
        freeze(project)
    with pytest.raises(Invalid, match="no labeler nobody"):
        freeze(project, Rule(labeler="nobody"))
    assert not list(snapshots.Path(snapshots.settings.VAR_DIR).glob("snapshots/.draft*"))


def test_disputed_solutions_stay_out(project, agreed):
    Decision.objects.filter(solution=agreed[1]).update(state="disputed", first_error=None)
    assert freeze(project).counts["train"]["records"] == 2
