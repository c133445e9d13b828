"""Asking for runs: what fits is started once, what does not is refused by its name."""

from __future__ import annotations

import pytest

from labeling.domain.run_settings import (
    GenerateSettings,
    JudgeSettings,
    McSettings,
    ScoreSettings,
)
from labeling.domain.setting_checks import BadSetting
from labeling.models import Event, Labeler, Problem, Run
from labeling.services import requests, runs
from labeling.services.requests import NothingToDo
from tests import factories

pytestmark = pytest.mark.django_db

MODEL = "factory/model-7b"


@pytest.fixture
def engine():
    return factories.EngineFactory(model=MODEL)


@pytest.fixture
def pooling():
    return factories.EngineFactory(kind="pooling", model="org/prm-7b")


@pytest.fixture
def solved(project):
    return factories.SolutionFactory(problem__project=project)


@pytest.fixture
def judge(project):
    return factories.LabelerFactory(project=project, kind="judge", name="a judge")


@pytest.fixture
def ask(project, owner):
    def request(engine, settings):
        return requests.request(by=owner, project=project, engine=engine, settings=settings)

    return request


def test_an_estimation_registers_its_labeler_and_starts_with_the_engine(ask, engine, solved):
    settings = McSettings(model=MODEL, n=4)
    run = ask(engine, settings)
    assert (run.kind, run.state, run.engine) == ("mc", "running", engine)
    assert run.config == run.labeler.config == settings.config()
    assert (run.labeler.kind, run.labeler.name) == ("mc", "MC of 4 · model-7b")
    assert Event.objects.filter(action="run started", subject=run.uid).count() == 1


def test_asking_twice_gives_the_run_alive_and_one_labeler(ask, engine, solved, owner):
    first = ask(engine, JudgeSettings(model=MODEL))
    runs.pause(by=owner, run=first)
    assert ask(engine, JudgeSettings(model=MODEL)) == first
    runs.cancel(by=owner, run=first)
    again = ask(engine, JudgeSettings(model=MODEL))
    assert again != first
    assert again.labeler == first.labeler


def test_what_is_not_exact_says_so_in_its_name(ask, engine, solved):
    assert "(not exact)" in ask(engine, McSettings(model=MODEL, mode="bisect")).labeler.name


def test_a_consensus_estimation_needs_a_judge_of_the_same_project(ask, engine, solved, judge):
    def consensus(uid):
        return McSettings(model=MODEL, mode="consensus", judge=uid, audit_share=0.05)

    assert ask(engine, consensus(judge.uid)).config["judge"] == judge.uid
    stranger = factories.LabelerFactory(kind="judge")
    no_judge = factories.LabelerFactory(project=judge.project, kind="mc")
    for uid in ("nobody", stranger.uid, no_judge.uid):
        with pytest.raises(BadSetting, match="judge: the project has no judge"):
            ask(engine, consensus(uid))


def test_generation_asks_problems_not_solutions(ask, engine, project):
    settings = GenerateSettings(model=MODEL)
    with pytest.raises(NothingToDo, match="no problems yet"):
        ask(engine, settings)
    factories.ProblemFactory(project=project)
    run = ask(engine, settings)
    assert (run.kind, run.labeler) == ("generate", None)
    with pytest.raises(NothingToDo, match="no solutions yet"):
        ask(engine, McSettings(model=MODEL))


def test_estimation_needs_a_reference_answer_and_a_judge_does_not(ask, engine, solved):
    Problem.objects.update(answer="")
    with pytest.raises(NothingToDo, match="reference answer"):
        ask(engine, McSettings(model=MODEL))
    assert ask(engine, JudgeSettings(model=MODEL)).state == "running"


def test_an_engine_must_be_there_be_on_fit_and_serve_the_model(ask, engine, pooling, solved):
    off = factories.EngineFactory(model=MODEL, active=False)
    for refused, words in (
        (None, "engine: is missing"),
        (off, f"engine: {off.name} is switched off"),
        (pooling, "engine: .* scores steps: it cannot write"),
        (factories.EngineFactory(model="another"), "model: the engine .* serves another"),
    ):
        with pytest.raises(BadSetting, match=words):
            ask(refused, JudgeSettings(model=MODEL))
    with pytest.raises(BadSetting, match="writes texts: it cannot score"):
        ask(engine, ScoreSettings(model=MODEL, format="qwen-prm"))
    assert not Run.objects.exists()
    assert not Labeler.objects.filter(kind="judge").exists()


def test_a_served_prm_and_one_of_the_project_score(ask, pooling, solved, project):
    served = ask(pooling, ScoreSettings(model="org/prm-7b", format="qwen-prm"))
    assert (served.labeler.kind, served.labeler.name) == ("prm", "PRM prm-7b")
    snapshot = factories.SnapshotFactory(project=project)
    prm = factories.PRMFactory(training_run__snapshot=snapshot, training_run__name="consensus 1")
    own = ask(None, ScoreSettings(prm=prm.uid))
    assert (own.engine, own.labeler.name) == (None, "PRM consensus 1")
    with pytest.raises(BadSetting, match="engine: a PRM of the project"):
        ask(pooling, ScoreSettings(prm=prm.uid))
    stranger = factories.PRMFactory()
    with pytest.raises(BadSetting, match="prm: the project has no PRM"):
        ask(None, ScoreSettings(prm=stranger.uid))


def test_a_judges_own_wording_must_be_the_projects(ask, engine, solved, project, owner):
    text = "Look at {problem} and {solution}."
    settings = JudgeSettings(model=MODEL, template="strict-v2", text=text, reply="boxed")
    with pytest.raises(BadSetting, match="text: is not the project's wording strict-v2"):
        ask(engine, settings)
    project.judge_prompts.create(
        name="strict", version=2, text=text, reply="boxed", created_by=owner
    )
    assert ask(engine, settings).labeler.name == "strict-v2 · model-7b"


def test_the_weights_of_a_local_model_are_those_of_the_engines_newest_run(ask, engine, solved):
    ask(engine, McSettings(model=MODEL, weights="0a1b"))
    assert ask(engine, JudgeSettings(model=MODEL)).config["weights"] == "0a1b"
    other = factories.EngineFactory(model=MODEL)
    assert "weights" not in ask(other, JudgeSettings(model=MODEL, votes=1)).config


def test_several_are_started_together_or_not_at_all(project, owner, engine, solved):
    asked = [(engine, GenerateSettings(model=MODEL, temperature=t, samples=2)) for t in (0.5, 1.0)]
    started = requests.request_each(by=owner, project=project, asked=asked)
    assert [run.config["temperature"] for run in started] == [0.5, 1.0]
    bad = (engine, GenerateSettings(model="another", temperature=0.7))
    with pytest.raises(BadSetting):
        requests.request_each(
            by=owner,
            project=project,
            asked=[(engine, GenerateSettings(model=MODEL, samples=9)), bad],
        )
    assert Run.objects.count() == 2


@pytest.fixture
def judged(ask, engine, solved):
    """A judge's run with three unscored verdicts, two of them for one reason."""
    run = ask(engine, JudgeSettings(model=MODEL))
    for reason in ("no verdict", "no verdict", "cut off"):
        factories.VerdictFactory(
            solution__problem__project=run.project, labeler=run.labeler, state="unscored",
            first_error=None, reason=reason,
        )  # fmt: skip
    return run


def reasons(run):
    return sorted(run.labeler.verdicts.values_list("reason", flat=True))


def test_one_reason_is_retried_alone(judged, owner):
    assert runs.retry_unscored(by=owner, run=judged, reason="no verdict") == 2
    assert reasons(judged) == ["cut off"]
    assert runs.retry_unscored(by=owner, run=judged) == 1


def test_a_done_run_goes_on_when_something_of_it_is_retried(judged, owner):
    Run.objects.update(state="done")
    assert runs.retry_unscored(by=owner, run=judged, reason="something else") == 0
    judged.refresh_from_db()
    assert judged.state == "done"
    runs.retry_unscored(by=owner, run=judged)
    judged.refresh_from_db()
    assert judged.state == "running"


def test_a_done_run_leaves_its_retries_to_a_later_one_that_is_alive(judged, ask, engine, owner):
    Run.objects.update(state="done")
    later = ask(engine, JudgeSettings(model=MODEL))
    assert later != judged
    assert runs.retry_unscored(by=owner, run=judged) == 3
    judged.refresh_from_db()
    assert (judged.state, reasons(judged)) == ("done", [])


@pytest.mark.parametrize("state", ["cancelled", "failed"])
def test_a_run_that_has_ended_is_not_retried(judged, owner, state):
    Run.objects.update(state=state, reason="r")
    with pytest.raises(runs.WrongState, match=f"a run that is {state} cannot be retried"):
        runs.retry_unscored(by=owner, run=judged)
    assert len(reasons(judged)) == 3
