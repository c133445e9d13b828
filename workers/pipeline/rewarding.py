"""The later stages: freeze snapshots, train PRMs on them, evaluate."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from labeling.domain.consensus import DecisionState
from labeling.domain.releases import Rule
from labeling.domain.run_settings import ScoreSettings
from labeling.domain.training_settings import SCRATCH
from labeling.models import PRM, Snapshot, TrainingRun
from labeling.services import snapshots, training
from labeling.services.snapshots import NothingToFreeze
from workers.pipeline.context import Context, StageFailed
from workers.pipeline.options import CHECKPOINT
from workers.pipeline.running import carry_out, start_or_resume
from workers.pipeline.watching import wait_for_trainings

CHAMPION = "consensus"
"""The label source whose PRMs may become champion in the sample world."""


def freeze(context: Context) -> None:
    """Freeze what people and consensus have decided: the release that users download."""
    release = _freeze(context, "release", Rule())
    train, test = release.counts["train"]["records"], release.counts["test"]["records"]
    context.terminal.say(
        f"  {train} training and {test} test solutions, content {release.content_hash[:12]}"
    )


def compare_label_sources(context: Context) -> None:
    """Train PRMs on MC, judge, consensus and truth labels with equal budgets, several seeds each.

    All are evaluated on the same held-out problems against the known truth.
    """
    rules = {
        "mc": Rule(labeler=context.labelers["mc"].uid),
        "judge": Rule(labeler=context.labelers["judge"].uid),
        "consensus": Rule(states=(DecisionState.CONSENSUS,)),
        "truth": Rule(labeler=context.labelers["truth"].uid),
    }
    full = {source: _freeze(context, f"{source} labels", rule) for source, rule in rules.items()}
    budget = min(snapshot.counts["train"]["records"] for snapshot in full.values())
    if not budget:
        raise StageFailed("a label source has no training solution")
    asked = []
    for source, rule in rules.items():
        equal = Rule(labeler=rule.labeler, states=rule.states, limit=budget)
        snapshot = _freeze(context, f"{source} labels, {budget} solutions", equal)
        for seed in range(context.options.seeds):
            asked.append(_train(context, snapshot, full["truth"], source, seed))
    context.terminal.say(
        f"  {len(asked)} trainings on {budget} solutions each, evaluated on "
        f"{full['truth'].counts['test']['records']} held-out solutions"
    )
    wait_for_trainings(context, asked)


def train_on_decisions(context: Context) -> None:
    """Train one PRM on the user's decided labels and evaluate it on their held-out problems."""
    if context.options.backbone is None:
        context.terminal.warn(
            "no BACKBONE=DIR was given: a small model with random weights is trained, which "
            "exercises the whole path but knows nothing; expect an F1 near 0"
        )
    try:
        snapshot = _freeze(context, "release", Rule())
    except NothingToFreeze as error:
        raise StageFailed(str(error)) from error
    if not snapshot.counts["train"]["records"] or not snapshot.counts["test"]["records"]:
        raise StageFailed(
            f"{snapshot.counts['train']['records']} training and "
            f"{snapshot.counts['test']['records']} test solutions are decided: both are needed"
        )
    wait_for_trainings(context, [_train(context, snapshot, snapshot, "decisions", 0)])


def score(context: Context) -> None:
    """Let the champion score every solution: one more labeler, which never decides."""
    champion = PRM.objects.filter(project=context.project, champion=True).first()
    if champion is None:
        raise StageFailed("no PRM was promoted: none has an F1 on the evaluation set yet")
    carry_out(context, [start_or_resume(context, ScoreSettings(prm=champion.uid))])


def _freeze(context: Context, name: str, rule: Rule) -> Snapshot:
    return snapshots.freeze_now(
        by=context.by, project=context.project, name=name, rule=rule, now=timezone.now()
    )


def _train(
    context: Context, snapshot: Snapshot, evaluation_set: Snapshot, source: str, seed: int
) -> TrainingRun:
    options = context.options
    config: dict[str, Any] = {
        "backbone": _backbone(context),
        "source": source,
        "seed": seed,
        "iterations": options.iterations,
        "lr": options.learning_rate,
        "batch-size": 32,
        "objective": "hard",
        "precision": "auto",
        "challenge": source in {CHAMPION, "decisions"},
    }
    run = training.request(
        by=context.by,
        snapshot=snapshot,
        evaluation_set=evaluation_set,
        name=f"{source} · seed {seed}",
        config=config,
    )
    return training.retry(by=context.by, run=run) if run.state == "failed" else run


def _backbone(context: Context) -> str:
    if context.options.data is None:
        return str(CHECKPOINT)
    backbone = context.options.backbone
    return str(backbone.resolve()) if backbone else SCRATCH
