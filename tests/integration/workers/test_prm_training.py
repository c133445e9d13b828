"""A training task trains for real, in a process of its own, and survives its worker."""

from __future__ import annotations

import pytest

from demo.world import problems, reference_steps
from labeling.domain.labels import LabelerKind, VerdictState
from labeling.domain.releases import Rule
from labeling.models import PRM
from labeling.services import labelers, snapshots, training, verdicts
from tests import factories
from workers import tasks
from workers.pipeline.options import CHECKPOINT


@pytest.fixture
def snapshot(project, owner, settings, tmp_path, monkeypatch):
    """Twelve solutions of the sample world, every second one wrong in its Answer line."""
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr("labeling.dispatch.ring", lambda *args, **kwargs: None)
    gold = labelers.register(
        by=owner, project=project, kind=LabelerKind.ADJUDICATOR, name="key", config={}
    )
    for number, world in enumerate(problems(11, 12)):
        steps = list(reference_steps(world.statement))
        wrong = number % 2 == 0
        if wrong:
            steps[-1] = f"Answer: {(int(world.answer) + 1) % 10}"
        solution = factories.SolutionFactory(
            problem__project=project,
            problem__statement=world.statement,
            problem__split="train" if number < 8 else "test",
            steps=steps,
        )
        error = len(steps) - 1 if wrong else -1
        new = [verdicts.NewVerdict(solution.pk, VerdictState.SCORED, error)]
        verdicts.record(by=owner, labeler=gold, verdicts=new)
    return snapshots.freeze_now(
        by=owner, project=project, name="r", rule=Rule(), now=factories.datetime.now(factories.UTC)
    )


def ask(owner, snapshot, **config):
    values = {"backbone": str(CHECKPOINT), "iterations": 4, "lr": 1e-3, "batch-size": 4, "seed": 0}
    return training.request(
        by=owner,
        snapshot=snapshot,
        evaluation_set=snapshot,
        name="t",
        config={**values, "challenge": True, **config},
    )


def test_a_prm_is_trained_evaluated_and_promoted(owner, snapshot, tmp_path):
    run = ask(owner, snapshot)
    tasks.train(run.uid)
    run.refresh_from_db()
    assert run.state == "done", run.reason
    prm = PRM.objects.get()
    assert prm.metrics["n"] == 4
    assert 0 <= prm.metrics["f1"] <= 1
    assert prm.champion
    assert (tmp_path / "prms" / prm.folder / "model" / "model.safetensors").exists()
    lines = (tmp_path / "prms" / prm.folder / "predictions.jsonl").read_text().splitlines()
    assert len(lines) == 4


def test_a_training_that_cannot_start_fails_in_the_trainers_words(owner, snapshot):
    run = ask(owner, snapshot, backbone="no/such/model")
    tasks.train(run.uid)
    run.refresh_from_db()
    assert run.state == "failed"
    assert "no/such/model" in run.reason
    assert "Traceback" not in run.reason


def test_a_backbone_from_random_weights_exercises_the_same_path(owner, snapshot):
    run = ask(owner, snapshot, backbone="scratch", iterations=2)
    tasks.train(run.uid)
    run.refresh_from_db()
    assert run.state == "done", run.reason
