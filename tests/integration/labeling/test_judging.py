"""Wordings are versioned, trials end once, and nobody sees of a trial what is hidden from them."""

from __future__ import annotations

import time
from datetime import timedelta

import psycopg
import pytest
from django.db import connection
from django.http import Http404
from django.utils import timezone

from labeling.domain.judging import ReplyForm, judge_template
from labeling.domain.labels import LabelerKind, VerdictState
from labeling.domain.policy import Policy
from labeling.domain.roles import Role
from labeling.domain.run_settings import JudgeSettings
from labeling.domain.setting_checks import BadSetting
from labeling.models import Event, JudgePrompt, JudgeTrial, Verdict
from labeling.selectors import judge_trials as trials
from labeling.selectors import judging as reads
from labeling.services import judging, labelers, runs, verdicts
from tests import factories

pytestmark = pytest.mark.django_db
TEXT = "{problem}\n{solution}\nAnswer in \\boxed{}."
NOW = timezone.now()


@pytest.fixture(autouse=True)
def rung(monkeypatch) -> list[tuple[str, tuple]]:
    """Keep bells from ringing, and remember them."""
    bells: list[tuple[str, tuple]] = []
    monkeypatch.setattr(
        "labeling.dispatch.ring", lambda task, *args, **more: bells.append((task, args))
    )
    return bells


@pytest.fixture
def save(project, owner):
    def saved(text=TEXT, name="strict", reply=ReplyForm.BOXED):
        return judging.save_wording(by=owner, project=project, name=name, text=text, reply=reply)

    return saved


@pytest.fixture
def another_session():
    """A second connection to the test database: another worker's."""
    settings = connection.get_connection_params()
    settings = {k: v for k, v in settings.items() if k in {"dbname", "user", "host", "port"}}
    with psycopg.connect(**settings, autocommit=True) as opened:
        yield opened


def test_a_changed_wording_is_a_new_version_and_an_unchanged_one_is_none(save, project):
    first, made = save()
    assert (str(first), made) == ("strict-v1", True)
    assert save() == (first, False)
    second, made = save(TEXT + " Mind units.")
    assert (str(second), made) == ("strict-v2", True)
    third, _ = save(TEXT + " Mind units.", reply=ReplyForm.ANALYSES)
    assert str(third) == "strict-v3"
    first.refresh_from_db()
    assert first.text == TEXT
    back, made = save()  # the first text again: said by an old version, not by the newest
    assert (str(back), made) == ("strict-v4", True)
    assert [w.name for w in reads.own(project)] == ["strict-v4"]
    assert [w.version for w in reads.versions(project, "strict")] == [4, 3, 2, 1]
    assert Event.objects.filter(project=project, action="judge wording saved").count() == 4


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("text", {"text": "no places"}),
        ("text", {"text": TEXT + "{solution}"}),
        ("name", {"name": "paper"}),
        ("template", {"name": "not a name"}),
    ],
)
def test_a_wording_that_cannot_be_used_is_refused_by_field(save, field, fields):
    with pytest.raises(BadSetting) as refused:
        save(**fields)
    assert refused.value.field == field
    assert not JudgePrompt.objects.exists()


def test_wordings_are_found_by_exactly_their_name(save, project):
    save()
    assert reads.wording_for(project, "strict-v1").settings == {
        "template": "strict-v1", "text": TEXT, "reply": "boxed",
    }  # fmt: skip
    assert reads.wording_for(project, "paper-v1").settings == {"template": "paper-v1"}
    for name in ("strict-v2", "strict-v01", "strict", "paper-v9", "strict-v¹", "-v1"):
        with pytest.raises(Http404):
            reads.wording_for(project, name)
    with pytest.raises(Http404):
        reads.wording_for(factories.ProjectFactory(), "strict-v1")


def test_the_preview_walks_through_the_projects_solutions(save, project):
    paper = judge_template("paper-v1")
    assert reads.preview(project, paper) is None
    one, two = (factories.SolutionFactory(problem__project=project) for _ in range(2))
    factories.SolutionFactory()  # another project's
    shown = reads.preview(project, paper)
    assert (shown.solution, shown.before, shown.after) == (one, False, True)
    shown = reads.preview(project, paper, one.uid, "next")
    assert (shown.solution, shown.before, shown.after) == (two, True, False)
    assert reads.preview(project, paper, two.uid, "next").solution == two
    assert reads.preview(project, paper, two.uid, "previous").solution == one
    assert shown.messages == paper.render(two.problem.statement, two.steps)
    assert shown.tokens == (-(-shown.characters // 4), -(-shown.characters // 3))
    plain = reads.preview(project, judge_template("check-v1"), one.uid)
    assert (plain.chat, plain.messages[0].content[:8]) == (False, "Problem:")


def ask(project, by=None, solutions=None, **settings):
    engine = factories.EngineFactory()
    return judging.request_trial(
        by=by or project.created_by,
        project=project,
        engine=engine,
        settings=JudgeSettings(model=engine.model, **settings),
        solutions=solutions or [factories.SolutionFactory(problem__project=project)],
    )


def result(solution, first_error=0, **fields):
    return {
        "solution": solution.uid, "first_error": first_error, "reason": "", "reply": "a reply",
        "finish_reason": "stop", "votes": [first_error], "prompt_tokens": 10,
        "completion_tokens": 3, "seconds": 0.5, **fields,
    }  # fmt: skip


def test_a_trial_is_asked_for_with_a_bell_and_labels_nothing(project, rung):
    trial = ask(project, votes=3, temperature=0.7)
    assert rung == [("workers.try_judge", (trial.uid,))]
    assert trial.config["votes"] == 3
    solution = project.solutions.get(uid=trial.solutions[0])
    assert judging.finish(by=project.created_by, trial=trial, results=[result(solution)], now=NOW)
    assert not Verdict.objects.exists()
    assert not project.labelers.exists()


def test_a_trial_ends_once(project):
    trial = ask(project)
    solution = project.solutions.get()
    end = {"by": project.created_by, "trial": trial, "now": NOW}
    judging.progressed(trial=trial, results=[result(solution, -1)])
    assert judging.finish(results=[result(solution)], **end)
    assert not judging.finish(results=[], **end)
    assert not judging.fail(reason="late", **end)
    judging.progressed(trial=trial, results=[])
    trial.refresh_from_db()
    assert (trial.state, trial.reason, trial.results) == ("done", "", [result(solution)])
    assert Event.objects.filter(subject=trial.uid).count() == 2


@pytest.mark.parametrize("fields", [{"kind": "pooling"}, {"active": False}])
def test_a_trial_needs_an_engine_that_writes_texts(project, fields):
    engine = factories.EngineFactory(**fields)
    solutions = [factories.SolutionFactory(problem__project=project)]
    settings = JudgeSettings(model=engine.model)
    with pytest.raises(BadSetting, match="engine"):
        judging.request_trial(
            by=project.created_by, project=project, engine=engine, settings=settings,
            solutions=solutions,
        )  # fmt: skip


def test_a_trial_is_held_by_one_worker_and_free_when_that_one_dies(project, another_session):
    trial = ask(project)
    with judging.taken(uid=trial.uid) as held:
        assert held == trial
        assert trials.is_taken(trial)
    assert not trials.is_taken(trial)
    another_session.execute("SELECT pg_advisory_lock(%s, %s)", [trials.LOCKS, trial.pk])
    with judging.taken(uid=trial.uid) as held:
        assert held is None
    assert trials.is_taken(trial)
    assert not trials.is_taken(ask(project))
    another_session.close()  # as a kill does; Postgres notices a moment later
    deadline = time.monotonic() + 10
    while trials.is_taken(trial) and time.monotonic() < deadline:
        time.sleep(0.01)
    with judging.taken(uid=trial.uid) as held:
        assert held == trial


def test_a_trial_that_is_over_is_not_taken(project):
    trial = ask(project)
    judging.fail(by=project.created_by, trial=trial, reason="no", now=NOW)
    with judging.taken(uid=trial.uid) as held:
        assert held is None
    with judging.taken(uid="nowhere") as held:
        assert held is None


def test_the_sweeper_rings_for_trials_that_nobody_holds(project, rung, another_session):
    waiting, held = ask(project), ask(project)
    judging.finish(by=project.created_by, trial=ask(project), results=[], now=NOW)
    another_session.execute("SELECT pg_advisory_lock(%s, %s)", [trials.LOCKS, held.pk])
    rung.clear()
    judging.attend(by=project.created_by, now=timezone.now())
    assert rung == [("workers.try_judge", (waiting.uid,))]


def test_a_trial_that_nobody_takes_fails_in_the_end_but_not_under_a_workers_hands(
    project, rung, another_session
):
    waiting, held = ask(project), ask(project)
    another_session.execute("SELECT pg_advisory_lock(%s, %s)", [trials.LOCKS, held.pk])
    late = timezone.now() + judging.GIVE_UP_AFTER + timedelta(seconds=1)
    judging.attend(by=project.created_by, now=late)
    waiting.refresh_from_db()
    held.refresh_from_db()
    assert (waiting.state, held.state) == ("failed", "waiting")
    assert "within 15 minutes" in waiting.reason


def test_runs_give_way_to_a_trial_that_waits(project, another_session):
    run = factories.RunFactory(labeler__project=project, labeler__kind="mc")
    now = timezone.now()
    trial = ask(project)
    assert not runs.others_wait(run=run, now=now)  # nobody serves the judges' queue
    factories.QueuePresenceFactory(queue="judge", seen_at=now)
    assert runs.others_wait(run=run, now=now)
    another_session.execute("SELECT pg_advisory_lock(%s, %s)", [trials.LOCKS, trial.pk])
    assert not runs.others_wait(run=run, now=now)  # it has its worker


def test_a_wait_says_whether_anybody_could_have_taken_the_trial(project):
    trial = ask(project)
    at = trial.created_at
    assert not trials.wait_of(trial, at + timedelta(seconds=29)).untaken
    wait = trials.wait_of(trial, at + timedelta(seconds=31))
    assert (wait.untaken, wait.workers) == (True, 0)
    factories.QueuePresenceFactory(queue="judge", workers=2, seen_at=at)
    assert trials.wait_of(trial, at + timedelta(seconds=31)).workers == 2
    with judging.taken(uid=trial.uid):
        assert not trials.wait_of(trial, at + timedelta(seconds=31)).untaken


def test_what_others_say_stands_beside_the_reply(project, owner):
    solution = factories.SolutionFactory(problem__project=project)
    labeler = labelers.register(
        by=owner, project=project, kind=LabelerKind.MC, name="mc", config={}
    )
    row = verdicts.NewVerdict(solution.pk, VerdictState.SCORED, 1)
    verdicts.record(by=owner, labeler=labeler, verdicts=[row])
    type(solution.decision).objects.filter(pk=solution.pk).update(state="consensus", first_error=1)
    trial = ask(project, solutions=[solution])
    judging.progressed(trial=trial, results=[result(solution, 1)])
    trial.refresh_from_db()
    (one,) = trials.tried(trial, owner, Role.OWNER)
    assert [voice.name for voice in one.voices] == ["mc"]
    assert (one.reply.first_error, one.agrees) == (1, True)
    assert trials.agreed([one]) == trials.Agreed(same=1, decided=1)


def test_of_a_solution_that_one_is_labeling_blindly_nothing_is_shown(project, owner):
    project.policy_values = Policy(blind=True).to_dict()
    project.save()
    solution = factories.SolutionFactory(problem__project=project)
    trial = ask(project, solutions=[solution])
    judging.progressed(trial=trial, results=[result(solution)])
    trial.refresh_from_db()
    factories.AssignmentFactory(solution=solution, user=owner)
    (one,) = trials.tried(trial, owner, Role.OWNER)
    assert (one.hidden, one.reply, one.voices, one.agrees) == (True, None, (), None)
    (other,) = trials.tried(trial, factories.UserFactory(), Role.MANAGER)
    assert not other.hidden


def test_the_row_of_a_trial_adds_its_replies_up(project):
    trial = ask(project)
    solution = project.solutions.get()
    results = [result(solution), result(solution, None, reason="no conclusion", seconds=2.0)]
    JudgeTrial.objects.filter(pk=trial.pk).update(results=results)
    (row,) = trials.trials_of(project)
    assert (row.answered, row.scored, row.tokens, row.seconds) == (2, 1, 26, 2.0)
    assert trials.trials_of(project, "paper-v1") == [row]
    assert trials.trials_of(project, "check-v1") == []
