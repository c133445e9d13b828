"""The judges' pages: what is posted, what comes back, with and without scripts."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from labeling.models import JudgePrompt, JudgeTrial
from tests import factories

pytestmark = pytest.mark.django_db
TEXT = "{problem}\r\n{solution}\r\nAnswer in \\boxed{}."
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def silent_door(monkeypatch) -> None:
    monkeypatch.setattr("labeling.dispatch.ring", lambda task, *args, **more: None)


@pytest.fixture
def by_manager(client, manager):
    client.force_login(manager)
    return client


@pytest.fixture
def at(project):
    def address(route, *args):
        return reverse(route, args=[project.uid, *args])

    return address


@pytest.fixture
def solutions(project):
    return [factories.SolutionFactory(problem__project=project) for _ in range(3)]


def test_a_wording_is_saved_with_the_line_ends_that_are_sent(by_manager, at):
    posted = {"name": "strict", "reply": "boxed", "text": TEXT}
    answer = by_manager.post(at("save_judge", "paper-v1"), posted)
    assert answer.headers["Location"] == at("judge", "strict-v1")
    assert JudgePrompt.objects.get().text == TEXT.replace("\r\n", "\n")
    by_manager.post(at("save_judge", "strict-v1"), posted)
    assert JudgePrompt.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": ""}, "Give the wording a name."),
        ({"name": "paper"}, "is a built-in wording"),
        ({"name": "a b"}, "Enter a valid"),
        ({"text": "{problem}"}, "must hold {solution} exactly once, not 0 times"),
        ({"text": TEXT + "x" * 20_000}, "at most 20000 characters"),
        ({"text": TEXT + "\0"}, "Null characters are not allowed"),
        ({"reply": "shout"}, "Select a valid choice"),
    ],
)
def test_a_wording_that_is_refused_stays_in_the_editor(by_manager, at, fields, said):
    posted = {"name": "strict", "reply": "boxed", "text": TEXT, **fields}
    answer = by_manager.post(at("save_judge", "paper-v1"), posted)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert "Answer in \\boxed{}." in answer.content.decode() or "text" in fields
    assert not JudgePrompt.objects.exists()


def test_the_preview_comes_alone_for_htmx_and_as_a_page_without(by_manager, at, solutions):
    posted = {"reply": "boxed", "text": TEXT, "solution": solutions[0].uid, "move": "next"}
    alone = by_manager.post(at("preview_judge", "paper-v1"), posted, headers=HTMX)
    whole = by_manager.post(at("preview_judge", "paper-v1"), posted)
    for answer in (alone, whole):
        assert f'name="solution" value="{solutions[1].uid}"' in answer.content.decode()
        assert "&lt;paragraph_0&gt;" in answer.content.decode()
        assert "HX-Request" in answer.headers["Vary"]
    assert "<textarea" not in alone.content.decode()
    assert "Answer in \\boxed{}." in whole.content.decode().partition("<textarea")[2]


def test_the_preview_says_why_a_text_cannot_be_sent(by_manager, at, solutions):
    posted = {"reply": "boxed", "text": "{problem}"}
    answer = by_manager.post(at("preview_judge", "paper-v1"), posted, headers=HTMX)
    assert "must hold {solution} exactly once" in answer.content.decode()
    assert not JudgePrompt.objects.exists()


def test_the_preview_of_a_project_without_solutions_says_what_to_do(by_manager, at):
    assert "Import or generate some" in by_manager.get(at("judge", "paper-v1")).content.decode()


def test_texts_of_people_and_models_are_shown_as_texts(by_manager, at, project):
    evil = "<script>alert(1)</script>"
    solution = factories.SolutionFactory(
        problem__project=project, problem__statement=evil, steps=[evil]
    )
    factories.JudgePromptFactory(project=project, text=f"{evil}{{problem}}{{solution}}</textarea>")
    trial = factories.JudgeTrialFactory(project=project, solutions=[solution.uid])
    JudgeTrial.objects.filter(pk=trial.pk).update(results=[{
        "solution": solution.uid, "first_error": None, "reason": evil, "reply": evil,
        "finish_reason": "stop", "votes": [None], "prompt_tokens": 1, "completion_tokens": 1,
        "seconds": 0.1,
    }])  # fmt: skip
    for address in (at("judge", "strict-v1"), at("judge_trial", trial.uid)):
        page = by_manager.get(address).content.decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page
        assert page.count("</textarea>") == page.count("<textarea")


@pytest.fixture
def engine():
    return factories.EngineFactory(name="far")


@pytest.fixture
def settings_of_trial(engine):
    return {
        "template": "strict-v1", "engine": engine.uid, "votes": 3, "temperature": 0.8,
        "max_tokens": 100, "solutions": "",
    }  # fmt: skip


def test_a_dry_run_is_asked_for_with_the_saved_text(
    by_manager, at, project, solutions, settings_of_trial, engine
):
    prompt = factories.JudgePromptFactory(project=project)
    answer = by_manager.post(at("try_judge", "strict-v1"), settings_of_trial)
    trial = JudgeTrial.objects.get()
    assert answer.headers["Location"] == at("judge_trial", trial.uid)
    assert trial.config == {
        "model": engine.model, "template": "strict-v1", "text": prompt.text, "reply": "boxed",
        "votes": 3, "temperature": 0.8, "max_tokens": 100,
    }  # fmt: skip
    assert trial.solutions == [s.uid for s in solutions]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"engine": "nowhere"}, "Select a valid choice"),
        ({"template": "paper-v1"}, "Select a valid choice"),
        ({"votes": 0}, "greater than or equal to 1"),
        ({"temperature": 0}, "at 0 all are the same"),
        ({"solutions": "nobody"}, "the project has no solution nobody"),
        ({"solutions": "a b c d e f"}, "are more than 5"),
    ],
)
def test_a_dry_run_that_is_refused_says_why_beside_the_field(
    by_manager, at, project, solutions, settings_of_trial, fields, said
):
    factories.JudgePromptFactory(project=project)
    if "more than" in said:
        more = [factories.SolutionFactory(problem__project=project) for _ in range(6)]
        fields = {"solutions": " ".join(s.uid for s in more)}
    answer = by_manager.post(at("try_judge", "strict-v1"), settings_of_trial | fields)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not JudgeTrial.objects.exists()


def test_a_project_without_solutions_cannot_try(by_manager, at, project, settings_of_trial):
    factories.JudgePromptFactory(project=project)
    answer = by_manager.post(at("try_judge", "strict-v1"), settings_of_trial)
    assert answer.status_code == 400
    assert "the project has none yet" in answer.content.decode()


def test_an_earlier_dry_run_fills_the_form_of_the_next(
    by_manager, at, project, solutions, settings_of_trial
):
    factories.JudgePromptFactory(project=project)
    by_manager.post(at("try_judge", "strict-v1"), settings_of_trial)
    trial = JudgeTrial.objects.get()
    page = by_manager.get(f"{at('judge', 'strict-v1')}?like={trial.uid}").content.decode()
    assert 'name="votes" value="3"' in page
    assert " ".join(trial.solutions) in page
    page = by_manager.get(at("judge_trial", trial.uid)).content.decode()
    assert "kind=judge&amp;engine=" in page
    assert "template=strict-v1&amp;temperature=0.8&amp;max_tokens=100&amp;votes=3" in page


def test_a_finished_trial_drops_its_own_trigger(by_manager, at, project):
    trial = factories.JudgeTrialFactory(project=project)
    address = at("judge_trial", trial.uid)
    assert "every 1s" in by_manager.get(address, headers=HTMX).content.decode()
    JudgeTrial.objects.filter(pk=trial.pk).update(state="done", finished_at=trial.created_at)
    alone = by_manager.get(address, headers=HTMX).content.decode()
    assert "every 1s" not in alone
    assert "<html" not in alone


def test_a_wording_or_trial_of_another_project_is_not_found(by_manager, at):
    factories.JudgePromptFactory()
    trial = factories.JudgeTrialFactory()
    for address in (at("judge", "strict-v1"), at("judge_trial", trial.uid)):
        assert by_manager.get(address).status_code == 404


def test_pages_take_few_queries(by_manager, at, project, solutions):
    factories.JudgePromptFactory(project=project)
    trial = factories.JudgeTrialFactory(project=project, solutions=[s.uid for s in solutions])
    taken = {}
    for name, address in {
        "judges": at("judges"),
        "judge": at("judge", "strict-v1"),
        "trial": at("judge_trial", trial.uid),
    }.items():
        with CaptureQueriesContext(connection) as queries:
            by_manager.get(address)
        taken[name] = len(queries)
    # session, user, project, role; then wordings and trials / and preview and engines /
    # the trial, its lock, presence, solutions, and two per solution (held? verdicts)
    assert taken["judges"] <= 7
    assert taken["judge"] <= 13
    assert taken["trial"] <= 9 + 2 * len(solutions)
