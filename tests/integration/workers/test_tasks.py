"""Tasks against the real database and the real tiny model; the queue's door is left out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from demo.world import problems, reference_steps, truth
from labeling.domain.hashing import content_hash
from labeling.domain.labels import LabelerKind
from labeling.models import (
    Claim,
    Decision,
    Engine,
    Labeler,
    QueuePresence,
    Rollout,
    Run,
    Sampling,
    Solution,
    Verdict,
)  # fmt: skip
from labeling.models.runs import RunKind
from labeling.services import labelers, runs
from tests import factories
from workers import tasks
from workers.pipeline.options import CHECKPOINT, sample_models

pytestmark = pytest.mark.django_db

MODELS = sample_models()
TINY = str(CHECKPOINT)
MC = {
    "model": TINY, "template": MODELS.template, "n": 8, "mode": "hard",
    "temperature": 1.0, "max_tokens": MODELS.max_tokens,
}  # fmt: skip
JUDGE = {
    "model": TINY, "template": MODELS.judge_template, "temperature": 0.0,
    "max_tokens": MODELS.judge_max_tokens,
}  # fmt: skip
GENERATE = {
    "model": TINY, "generator": "tiny", "template": MODELS.template, "samples": 3,
    "temperature": 1.0, "max_tokens": MODELS.max_tokens,
}  # fmt: skip


@pytest.fixture(autouse=True)
def silent_door(monkeypatch):
    """Keep bells from ringing, and remember them."""
    rung: list[tuple[str, tuple]] = []
    monkeypatch.setattr(
        "labeling.dispatch.ring", lambda task, *args, **kwargs: rung.append((task, args))
    )
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


def start(project, kind: RunKind, config: dict, engine: Engine | None = None) -> Run:
    labeler = None
    engine = (
        engine
        or Engine.objects.get_or_create(
            name="tiny", defaults={"kind": "transformers", "model": TINY}
        )[0]
    )
    if kind is not RunKind.GENERATE:
        labeler = labelers.register(
            by=project.created_by,
            project=project,
            kind=LabelerKind(kind.value),
            name=kind,
            config=config,
        )
    return runs.start(
        by=project.created_by,
        project=project,
        kind=kind,
        config=config,
        labeler=labeler,
        engine=engine,
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


def dead_engine() -> Engine:
    return Engine.objects.create(
        name="dead", kind="openai", model="m",
        options={"url": "http://127.0.0.1:9/v1", "patience": 0.1},
    )  # fmt: skip


def test_a_dead_engine_lets_the_run_rest_and_at_last_fail_with_its_address(
    project, solved, silent_door
):
    run = start(project, RunKind.JUDGE, {**JUDGE, "model": "m"}, dead_engine())
    finish(run)
    assert (run.state, run.failures) == ("running", 1)
    assert "127.0.0.1:9" in run.reason
    assert run.retry_at > timezone.now()
    silent_door.clear()
    finish(run)  # a bell that comes too early: nothing is leased, nothing is counted
    tasks.sweep()
    assert (run.failures, silent_door) == (1, [])
    Run.objects.update(retry_at=timezone.now(), failures=runs.GIVE_UP_AFTER - 1)
    tasks.sweep()
    assert ("workers.work", (run.uid,)) in silent_door
    finish(run)
    assert (run.state, run.retry_at) == ("failed", None)
    assert not Verdict.objects.exists()
    assert not Claim.objects.exists()


def test_an_engine_that_serves_another_model_by_now_fails_the_run_at_once(project, solved):
    run = start(project, RunKind.MC, MC)
    Engine.objects.update(model="another")
    finish(run)
    assert run.state == "failed"
    assert "another" in run.reason


def test_judge_first_estimation_waits_for_the_judge_and_reaches_the_same_decisions(project, solved):
    judge = start(project, RunKind.JUDGE, JUDGE)
    sparing = {**MC, "mode": "consensus", "judge": judge.labeler.uid, "audit_share": 0.0}
    consensus = start(project, RunKind.MC, sparing)
    finish(consensus)
    assert (consensus.state, Verdict.objects.count()) == ("running", 0)
    finish(judge)
    finish(consensus)
    assert consensus.state == "done"
    sparingly = dict(Decision.objects.values_list("solution", "state"))
    firsts = dict(Decision.objects.values_list("solution", "first_error"))
    Labeler.objects.filter(pk=consensus.labeler_id).update(active=False)
    hard = finish(start(project, RunKind.MC, MC))
    assert sparingly == dict(Decision.objects.values_list("solution", "state"))
    assert firsts == dict(Decision.objects.values_list("solution", "first_error"))
    spent = {
        labeler: sum(Verdict.objects.filter(labeler=labeler).values_list("completions", flat=True))
        for labeler in (consensus.labeler, hard.labeler)
    }
    assert spent[consensus.labeler] <= spent[hard.labeler]
    refuted = Verdict.objects.filter(state="refuted")
    assert refuted.count() == sum(state == "disputed" for state in sparingly.values())
    # What one had drawn, the other was given: the same completer, the same samples.
    paid = Verdict.objects.filter(labeler=hard.labeler, state="scored")
    shared = [v for v in paid if not refuted.filter(solution=v.solution).exists()]
    assert {v.completion_tokens for v in shared} == {0}


def test_a_solution_that_shares_its_first_steps_with_a_labeled_one_is_drawn_for_less(
    project, solved
):
    finish(start(project, RunKind.MC, MC))
    old = next(s for s in solved if s.final_answer_correct)
    twin = factories.SolutionFactory(
        problem=old.problem,
        steps=[*old.steps[:-1], "Answer: none"],
        final_answer="none",
        final_answer_correct=False,
    )
    run = Run.objects.get(kind="mc")
    Run.objects.update(state="running")
    finish(run)
    verdict = Verdict.objects.get(solution=twin)
    assert (verdict.first_error, verdict.completion_tokens) == (len(twin.steps) - 1, 0)
    assert verdict.completions > 0


def test_workers_that_come_later_are_rung_for_as_well(project, solved, silent_door):
    run = start(project, RunKind.MC, MC)
    factories.ClaimFactory(run=run, item=solved[0].pk)
    QueuePresence.objects.create(queue="mc", workers=3, seen_at=timezone.now())
    silent_door.clear()
    tasks.sweep()
    assert silent_door == [("workers.work", (run.uid,))] * 2  # one of three is at it
    QueuePresence.objects.update(seen_at=timezone.now() - timedelta(minutes=5))
    silent_door.clear()
    tasks.sweep()
    assert silent_door == []


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
