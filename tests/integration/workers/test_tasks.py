"""Tasks against the real database and the real tiny model; the queue's door is left out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from demo.world import problems, reference_steps, truth
from labeling.domain.hashing import content_hash
from labeling.domain.labels import LabelerKind
from labeling.models import Claim, Decision, Labeler, Rollout, Run, Sampling, Solution, Verdict
from labeling.models.runs import RunKind
from labeling.services import labelers, runs
from tests import factories
from workers import tasks
from workers.pipeline.options import sample_models

pytestmark = pytest.mark.django_db

MODELS = sample_models()
MC = {
    "engine": MODELS.engine, "template": MODELS.template, "n": 8, "mode": "hard",
    "temperature": 1.0, "max_tokens": MODELS.max_tokens,
}  # fmt: skip
JUDGE = {
    "engine": MODELS.engine, "template": MODELS.judge_template, "temperature": 0.0,
    "max_tokens": MODELS.judge_max_tokens,
}  # fmt: skip
GENERATE = {
    "engine": MODELS.engine, "generator": "tiny", "template": MODELS.template, "samples": 3,
    "temperature": 1.0, "max_tokens": MODELS.max_tokens,
}  # fmt: skip


@pytest.fixture(autouse=True)
def silent_door(monkeypatch):
    """Keep bells from ringing, and remember them."""
    rung: list[tuple[str, tuple]] = []
    monkeypatch.setattr(
        "labeling.dispatch.ring", lambda task, *args, **kwargs: rung.append((task, args))
    )
    monkeypatch.setattr(tasks, "BACK_OFF_SECONDS", 0.0)
    return rung


@pytest.fixture
def solved(project) -> list[Solution]:
    """Six problems with their reference solutions; every second one has its last line changed."""
    made = []
    for number, world in enumerate(problems(7, 6)):
        problem = factories.ProblemFactory(
            project=project, statement=world.statement, answer=world.answer
        )
        steps = list(reference_steps(world.statement))
        if number % 2:
            steps[-1] = f"Answer: {(int(world.answer) + 1) % 10}"
        made.append(
            factories.SolutionFactory(
                problem=problem,
                steps=steps,
                final_answer=steps[-1].removeprefix("Answer: "),
                final_answer_correct=not number % 2,
            )
        )
    return made


def start(project, kind: RunKind, config: dict) -> Run:
    labeler = None
    if kind is not RunKind.GENERATE:
        labeler = labelers.register(
            by=project.created_by,
            project=project,
            kind=LabelerKind(kind.value),
            name=kind,
            config=config,
        )
    return runs.start(
        by=project.created_by, project=project, kind=kind, config=config, labeler=labeler
    )


def finish(run: Run) -> Run:
    tasks.work(run.uid)
    run.refresh_from_db()
    return run


def test_the_tiny_model_labels_by_mc_and_judge_and_the_decisions_follow(project, solved):
    mc, judge = start(project, RunKind.MC, MC), start(project, RunKind.JUDGE, JUDGE)
    assert (finish(mc).state, finish(judge).state) == ("done", "done")
    verdicts = Verdict.objects.filter(state="scored")
    assert verdicts.filter(labeler=mc.labeler).count() == 6
    wrong = [s for s in solved if not s.final_answer_correct]
    for verdict in verdicts.filter(labeler=mc.labeler, solution__in=wrong):
        assert verdict.first_error != -1  # the last step is labeled by the solution's own answer
    for verdict in verdicts.filter(labeler=mc.labeler):
        evidence = Rollout.objects.filter(solution=verdict.solution, labeler=mc.labeler)
        sampled = sum(n for n in verdict.mc_n[:-1] if n is not None)
        assert evidence.count() == verdict.completions == sampled
        assert verdict.exhaustive_completions == 8 * (len(verdict.step_labels) - 1)
    exact = sum(
        v.first_error == truth(v.solution.problem.statement, v.solution.steps).first_error
        for v in verdicts.filter(labeler=judge.labeler).select_related("solution__problem")
    )
    assert exact >= 5  # the model card: the judge is exact in more than 9 of 10
    assert Decision.objects.exclude(state="undecided").count() >= 5
    assert not Claim.objects.exists()


def test_generation_stores_each_text_once_and_counts_the_rest(project):
    for world in problems(3, 4):
        factories.ProblemFactory(
            project=project, statement=world.statement, answer=world.answer,
            content_hash=content_hash([world.statement, world.answer]),
        )  # fmt: skip
    run = finish(start(project, RunKind.GENERATE, GENERATE))
    assert run.state == "done"
    for sampling in Sampling.objects.all():
        stored = sampling.problem.solutions.count()
        assert (sampling.drawn, sampling.kept) == (3, stored)
        assert sampling.duplicates + sampling.unusable == 3 - stored
    solution = Solution.objects.first()
    rebuilt = solution.gaps[0] + "".join(
        step + gap for step, gap in zip(solution.steps, solution.gaps[1:], strict=True)
    )
    assert rebuilt.startswith("Step 1: ")
    before = Solution.objects.count()
    finish(run)  # a bell that comes late
    assert Solution.objects.count() == before


def test_the_same_run_draws_the_same_samples_again(project, solved):
    run = finish(start(project, RunKind.MC, MC))
    first = list(Rollout.objects.order_by("solution", "step", "sample").values_list("text"))
    counts = list(Verdict.objects.order_by("solution").values_list("mc_k", "mc_n"))
    Rollout.objects.all().delete()
    Verdict.objects.all().delete()
    Run.objects.filter(pk=run.pk).update(state="running")
    finish(run)
    assert first == list(Rollout.objects.order_by("solution", "step", "sample").values_list("text"))
    assert counts == list(Verdict.objects.order_by("solution").values_list("mc_k", "mc_n"))


def test_a_problem_without_an_answer_is_unscored_with_the_reason_and_the_rest_goes_on(
    project, solved
):
    bare = factories.ProblemFactory(project=project, statement="1 + 1?", answer="")
    lonely = factories.SolutionFactory(problem=bare, steps=["Step 1: 1 + 1 = 2"])
    run = finish(start(project, RunKind.MC, MC))
    assert run.state == "done"
    verdict = Verdict.objects.get(solution=lonely)
    assert (verdict.state, verdict.first_error) == ("unscored", None)
    assert "no reference answer" in verdict.reason
    assert Verdict.objects.filter(state="scored").count() == 6


def test_a_judge_that_writes_nothing_readable_is_unscored_counted_and_retried(
    project, solved, silent_door
):
    mute = {**JUDGE, "max_tokens": 1}
    run = finish(start(project, RunKind.JUDGE, mute))
    assert run.state == "done"
    assert set(Verdict.objects.values_list("state", flat=True)) == {"unscored"}
    assert all(Verdict.objects.values_list("reason", flat=True))
    assert runs.retry_unscored(by=project.created_by, run=run) == 6
    run.refresh_from_db()
    assert (run.state, Verdict.objects.count()) == ("running", 0)
    assert ("workers.work", (run.uid,)) in silent_door


def test_a_dead_engine_fails_the_run_with_its_address_and_keeps_every_lease_free(project, solved):
    dead = {**JUDGE, "engine": {"kind": "openai", "url": "http://127.0.0.1:9/v1", "model": "m"}}
    run = start(project, RunKind.JUDGE, dead)
    for _ in range(runs.GIVE_UP_AFTER):
        finish(run)
    run.refresh_from_db()
    assert run.state == "failed"
    assert "127.0.0.1:9" in run.reason
    assert not Verdict.objects.exists()
    assert not Claim.objects.exists()


def test_the_sweeper_returns_dead_leases_and_rings_again(project, solved, silent_door):
    run = start(project, RunKind.MC, MC)
    silent_door.clear()
    factories.ClaimFactory(run=run, item=solved[0].pk)
    tasks.sweep()
    assert silent_door == []  # somebody works on it
    Claim.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    tasks.sweep()
    assert ("workers.work", (run.uid,)) in silent_door
    assert not Claim.objects.exists()


def test_a_new_configuration_is_a_new_labeler(project, solved):
    start(project, RunKind.MC, MC)
    start(project, RunKind.MC, {**MC, "n": 4})
    assert Labeler.objects.filter(kind="mc").count() == 2
