"""Dry runs by the real tiny model: shown, counted, ended once, labeling nothing."""

from __future__ import annotations

import psycopg
import pytest
from django.db import OperationalError, connection

from demo.world import problems, reference_steps
from labeling.domain.judging import ReplyForm
from labeling.domain.run_settings import JudgeSettings
from labeling.models import JudgeTrial, Verdict
from labeling.selectors.judge_trials import LOCKS
from labeling.selectors.judging import wording_for
from labeling.services import judging, requests
from tests import factories
from workers import tasks, trials
from workers.pipeline.options import CHECKPOINT

pytestmark = pytest.mark.django_db
TINY = str(CHECKPOINT)


@pytest.fixture(autouse=True)
def rung(monkeypatch) -> list[str]:
    """Keep bells from ringing, and remember them."""
    bells: list[str] = []
    monkeypatch.setattr("labeling.dispatch.ring", lambda task, *args, **more: bells.append(task))
    return bells


@pytest.fixture
def engine():
    return factories.EngineFactory(kind="transformers", model=TINY, options={})


@pytest.fixture
def solutions(project):
    """A right solution, and one whose first line is wrong."""
    (world,) = problems(7, 1)
    right = list(reference_steps(world.statement))
    value = int(right[0][-1])
    wrong = [f"{right[0][:-1]}{(value + 3) % 10}", *right[1:]]
    problem = factories.ProblemFactory(
        project=project, statement=world.statement, answer=world.answer
    )
    return [factories.SolutionFactory(problem=problem, steps=steps) for steps in (right, wrong)]


@pytest.fixture
def ask(project, engine, solutions):
    def asked(**settings) -> JudgeTrial:
        given = {"template": "check-v1", "max_tokens": 48, **settings}
        return judging.request_trial(
            by=project.created_by, project=project, engine=engine,
            settings=JudgeSettings(model=TINY, **given), solutions=solutions,
        )  # fmt: skip

    return asked


def done(trial: JudgeTrial) -> JudgeTrial:
    tasks.try_judge(trial.uid)
    trial.refresh_from_db()
    return trial


def test_the_tiny_model_is_tried_and_labels_nothing(ask, solutions):
    trial = done(ask())
    assert (trial.state, trial.reason) == ("done", "")
    right, wrong = trial.results
    assert [r["solution"] for r in trial.results] == [s.uid for s in solutions]
    assert (right["first_error"], wrong["first_error"]) == (-1, 0)
    assert wrong["reply"].startswith(" Step 1: wrong")
    assert wrong["votes"] == [0]
    assert min(right["prompt_tokens"], right["completion_tokens"], right["seconds"]) > 0
    assert not Verdict.objects.exists()


def test_votes_are_shown_one_by_one(ask):
    trial = done(ask(votes=5, temperature=1.0))
    for result in trial.results:
        assert len(result["votes"]) == 5
        counted = result["votes"].count(result["first_error"])
        assert result["first_error"] is None or counted == max(
            result["votes"].count(vote) for vote in set(result["votes"])
        )


def test_a_wording_of_the_projects_own_is_asked_and_its_replies_are_read(ask, project):
    text = "Problem: {problem}\n\n{solution}Check:"
    judging.save_wording(
        by=project.created_by, project=project, name="own", text=text, reply=ReplyForm.CHECKS
    )
    own = done(ask(**wording_for(project, "own-v1").settings))
    assert [r["reply"] for r in own.results] == [r["reply"] for r in done(ask()).results]
    assert [r["first_error"] for r in own.results] == [-1, 0]


def test_a_run_with_the_same_settings_draws_the_same_replies(ask, project, engine):
    text = "Problem: {problem}\n\n{solution}Check:"
    judging.save_wording(
        by=project.created_by, project=project, name="own", text=text, reply=ReplyForm.CHECKS
    )
    settings = {**wording_for(project, "own-v1").settings, "votes": 3, "temperature": 1.0}
    trial = done(ask(**settings))
    run = requests.request(
        by=project.created_by, project=project, engine=engine,
        settings=JudgeSettings(model=TINY, max_tokens=48, **settings),
    )  # fmt: skip
    tasks.work(run.uid)
    verdicts = {v.solution.uid: v for v in Verdict.objects.select_related("solution", "labeler")}
    assert [verdicts[r["solution"]].critique for r in trial.results] == [
        r["reply"] for r in trial.results
    ]
    assert [verdicts[r["solution"]].first_error for r in trial.results] == [
        r["first_error"] for r in trial.results
    ]
    assert {v.completions for v in verdicts.values()} == {3}
    assert {v.labeler.config["text"] for v in verdicts.values()} == {text}


def test_a_reply_that_cannot_be_read_is_shown_with_the_reason(ask):
    trial = done(ask(max_tokens=2))
    assert [r["first_error"] for r in trial.results] == [None, 0]  # " Step 1: wrong" says enough
    assert trial.results[0]["reason"] == "fewer verdicts than steps (the reply was cut short)"
    assert trial.results[0]["finish_reason"] == "length"


def test_a_prompt_that_the_engine_refuses_is_no_failure_of_the_trial(ask):
    trial = done(ask(template="paper-v1", max_tokens=4096))  # the tiny model knows no chat
    assert trial.state == "done"
    assert all("the engine refused" in r["reason"] for r in trial.results)


def test_an_engine_that_is_not_there_fails_the_trial_with_its_words(ask, engine):
    trial = ask()
    engine.kind, engine.options = "openai", {"url": "http://127.0.0.1:9/v1", "patience": 1}
    engine.save()
    trial = done(JudgeTrial.objects.get(pk=trial.pk))
    assert trial.state == "failed"
    assert "127.0.0.1:9" in trial.reason


def test_an_engine_that_serves_another_model_by_now_fails_the_trial(ask, engine):
    trial = ask()
    engine.model = "another"
    engine.save()
    assert "serves another by now" in done(trial).reason


def test_a_killed_workers_trial_is_done_again_and_a_late_result_is_dropped(ask, monkeypatch):
    trial, read = ask(), trials._answers

    def killed(asked):
        yield from list(read(asked))[:1]
        raise OperationalError("the connection was closed")  # nothing can be stored any more

    monkeypatch.setattr(trials, "_answers", killed)
    assert done(trial).state == "waiting"
    monkeypatch.setattr(trials, "_answers", read)
    first = done(trial)
    assert (first.state, len(first.results)) == ("done", 2)
    ended = first.finished_at
    assert done(first).finished_at == ended


def test_a_bug_fails_the_trial_rather_than_letting_it_wait(ask, monkeypatch):
    def broken(asked):
        raise KeyError("oops")

    monkeypatch.setattr(trials, "_answers", broken)
    trial = done(ask())
    assert (trial.state, trial.reason) == ("failed", "KeyError: 'oops'")


def test_a_trial_that_another_worker_holds_is_left_alone(ask):
    trial = ask()
    settings = connection.get_connection_params()
    settings = {k: v for k, v in settings.items() if k in {"dbname", "user", "host", "port"}}
    with psycopg.connect(**settings, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [LOCKS, trial.pk])
        assert done(trial).state == "waiting"
    assert done(trial).state == "done"


def test_the_sweeper_rings_for_a_trial_that_was_left_waiting(ask, rung):
    ask()
    rung.clear()
    tasks.sweep()
    assert rung == ["workers.try_judge"]


def test_a_solution_that_is_gone_by_now_is_left_out(ask, solutions):
    trial = ask()
    solutions[0].delete()
    assert [r["solution"] for r in done(trial).results] == [solutions[1].uid]
