"""Training runs: one lease at a time, one champion, retraining when the policy asks for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from labeling.models import PRM, Event, TrainingRun
from labeling.services import adjudications, projects, retraining, snapshots, training
from tests import factories

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.VAR_DIR = tmp_path


def decide(project, owner, count=1):
    for _ in range(count):
        solution = factories.SolutionFactory(problem__project=project)
        adjudications.submit(by=owner, solution=solution, key=uuid4(), first_error=1, reason="sum")


def freeze(project, owner):
    return snapshots.freeze_now(by=owner, project=project, name="r", rule=snapshots.Rule(), now=NOW)


def ask(owner, snapshot, seed=0, **config) -> TrainingRun:
    return training.request(
        by=owner,
        snapshot=snapshot,
        evaluation_set=snapshot,
        name="t",
        config={"backbone": "b", "seed": seed, "challenge": True, **config},
    )


def finish(owner, run, f1) -> PRM:
    return training.finish(by=owner, run=run, folder="f", metrics={"f1": f1}, seconds=1.0, now=NOW)


def test_the_same_training_is_asked_for_once(project, owner):
    decide(project, owner)
    snapshot = freeze(project, owner)
    assert ask(owner, snapshot).pk == ask(owner, snapshot).pk
    assert ask(owner, snapshot, seed=1).pk != ask(owner, snapshot).pk


def test_a_lease_keeps_others_off_until_it_runs_out(project, owner):
    decide(project, owner)
    run = ask(owner, freeze(project, owner))
    assert training.claim(uid=run.uid, now=NOW) is not None
    assert training.claim(uid=run.uid, now=NOW + timedelta(seconds=30)) is None
    assert training.unattended(now=NOW + timedelta(seconds=30)) == []
    late = NOW + training.LEASE
    assert training.unattended(now=late) == [run]
    assert training.claim(uid=run.uid, now=late) is not None


def test_only_a_better_model_becomes_champion_and_the_old_one_is_kept(project, owner):
    decide(project, owner)
    snapshot = freeze(project, owner)
    first, worse, better = (
        finish(owner, ask(owner, snapshot, seed), f1) for seed, f1 in enumerate((0.5, 0.4, 0.6))
    )
    champions = list(PRM.objects.filter(champion=True))
    assert champions == [better]
    assert PRM.objects.count() == 3
    promoted = Event.objects.filter(action="PRM promoted").values_list("subject", flat=True)
    assert list(promoted) == [first.uid, better.uid]
    assert worse.uid not in promoted


def test_a_model_without_a_defined_f1_is_never_promoted(project, owner):
    decide(project, owner)
    finish(owner, ask(owner, freeze(project, owner)), None)
    assert not PRM.objects.filter(champion=True).exists()


def test_models_evaluated_on_other_items_are_not_compared(project, owner):
    decide(project, owner)
    first = finish(owner, ask(owner, freeze(project, owner)), 0.5)
    decide(project, owner)
    finish(owner, ask(owner, freeze(project, owner)), 0.9)
    assert PRM.objects.get(champion=True) == first


def test_finishing_twice_registers_one_model(project, owner):
    decide(project, owner)
    run = ask(owner, freeze(project, owner))
    assert finish(owner, run, 0.5).pk == finish(owner, run, 0.5).pk


def test_a_failed_training_says_why_and_can_wait_again(project, owner):
    decide(project, owner)
    run = ask(owner, freeze(project, owner))
    training.fail(by=owner, run=run, reason="no such backbone", now=NOW)
    run.refresh_from_db()
    assert (run.state, run.reason) == ("failed", "no such backbone")
    assert training.claim(uid=run.uid, now=NOW) is None
    assert training.retry(by=owner, run=run).state == "waiting"


def due(project, owner) -> TrainingRun | None:
    return retraining.request_if_due(by=owner, project=project, now=NOW)


def test_enough_new_decisions_freeze_and_train_as_the_champion_was(project, owner):
    projects.change_policy(by=owner, project=project, retrain_after=3)
    project.refresh_from_db()
    decide(project, owner)
    assert due(project, owner) is None  # no champion yet
    champion = finish(owner, ask(owner, freeze(project, owner), lr=1e-3), 0.5)
    decide(project, owner, 2)
    assert due(project, owner) is None  # 2 of 3
    decide(project, owner)
    run = due(project, owner)
    assert run is not None
    assert run.config["lr"] == 1e-3
    assert run.evaluation_set == champion.training_run.evaluation_set
    assert run.snapshot.counts["train"]["records"] == 4
    assert due(project, owner) is None  # one is under way
    finish(owner, run, 0.7)
    assert PRM.objects.get(champion=True).training_run == run
    assert due(project, owner) is None  # nothing new since


def test_a_retraining_that_gained_nothing_is_not_repeated_on_the_same_labels(project, owner):
    projects.change_policy(by=owner, project=project, retrain_after=1)
    project.refresh_from_db()
    decide(project, owner)
    champion = finish(owner, ask(owner, freeze(project, owner)), 0.5)
    decide(project, owner)
    finish(owner, due(project, owner), 0.4)
    assert PRM.objects.get(champion=True) == champion
    assert due(project, owner) is None


def test_a_policy_of_zero_never_retrains(project, owner):
    decide(project, owner)
    finish(owner, ask(owner, freeze(project, owner)), 0.5)
    decide(project, owner, 3)
    assert due(project, owner) is None
