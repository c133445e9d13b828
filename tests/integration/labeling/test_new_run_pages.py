"""The form of a new run: what it offers, what it would cost, what it starts."""

from __future__ import annotations

import pytest
from django.urls import reverse

from labeling.models import Problem, Run
from tests import factories

pytestmark = pytest.mark.django_db

MODEL = "factory/model-7b"
HTMX = {"HX-Request": "true"}
NUMBERS = {"temperature": "1.0", "max_tokens": "512"}


@pytest.fixture
def engine():
    return factories.EngineFactory(name="gpu", model=MODEL, prompt_price=1, completion_price=2)


@pytest.fixture
def judge(project):
    return factories.LabelerFactory(project=project, kind="judge", name="paper-v1 · m")


@pytest.fixture
def solved(project):
    return factories.SolutionFactory(problem__project=project)


@pytest.fixture
def visit(client, manager, project):
    """Open the form, or its estimate, with these fields."""
    client.force_login(manager)

    def get(fragment=False, **fields):
        address = reverse("new_run", args=[project.uid])
        return client.get(address, fields, headers=HTMX if fragment else {})

    return get


@pytest.fixture
def start(client, manager, project):
    """Send the form."""
    client.force_login(manager)

    def post(**fields):
        return client.post(reverse("start_run", args=[project.uid]), fields)

    return post


def mc(engine, **fields):
    asked = {"kind": "mc", "engine": engine.uid, "mode": "hard", "n": "8", "template": "plain-v1"}
    return asked | NUMBERS | fields


def generate(*engines, **fields):
    asked = {"kind": "generate", "engine": [e.uid for e in engines], "samples": "2"}
    asked |= {"template": "plain-v1", "split": "paragraphs"}
    return asked | NUMBERS | fields


def test_a_fresh_form_shows_what_it_would_cost_as_it_stands(visit, engine, solved):
    html = visit(kind="mc").content.decode()
    assert "Completions per step" in html
    assert "1 solutions wait" in html
    assert "fewer than the 16" in html
    assert not Run.objects.exists()


def test_the_form_begins_where_work_is_next(visit, engine, project):
    factories.ProblemFactory(project=project)
    assert visit().context["form"].kind == "generate"
    factories.SolutionFactory(problem=project.problems.get())
    assert visit().context["form"].kind == "mc"


def test_the_estimate_follows_the_fields(visit, engine, solved):
    some, more = (
        visit(fragment=True, **mc(engine, mode="exhaustive", n=n)).content.decode()
        for n in ("2", "20")
    )
    assert "<html" not in some
    # two of the three steps of one solution
    assert "<dd>4</dd>" in some
    assert "<dd>40</dd>" in more


def test_mistakes_stand_in_the_estimates_place_by_field(visit, engine, solved):
    html = visit(fragment=True, **mc(engine, n="0", temperature="hot")).content.decode()
    assert "Completions per step: Ensure this value is greater than or equal to 1." in html
    assert "Temperature: Enter a number." in html


def test_starting_leads_to_the_run(start, engine, solved, manager):
    answer = start(**mc(engine, n="4"))
    run = Run.objects.get()
    assert answer.headers["Location"] == reverse("run", args=[run.project.uid, run.uid])
    assert (run.created_by, run.engine, run.config["n"]) == (manager, engine, 4)
    assert "judge" not in run.config


def test_consensus_needs_its_judge_and_other_modes_leave_it_alone(start, engine, solved, judge):
    start(**mc(engine, judge=judge.uid, audit_share="0.05"))
    assert "judge" not in Run.objects.get().config
    bare = start(**mc(engine, mode="consensus"))
    assert bare.status_code == 400
    assert b"mode consensus needs it" in bare.content
    start(**mc(engine, mode="consensus", judge=judge.uid, audit_share="0.1"))
    config = Run.objects.get(config__mode="consensus").config
    assert (config["judge"], config["audit_share"]) == (judge.uid, 0.1)


def test_a_refused_form_keeps_its_values_and_says_what_is_wrong(start, engine, solved):
    answer = start(**mc(engine, temperature="0"))
    assert answer.status_code == 400
    html = answer.content.decode()
    assert "at 0 all are the same: raise it, or set n to 1" in html
    assert 'value="512"' in html
    assert not Run.objects.exists()


def test_engines_times_temperatures_are_runs_of_their_own(start, visit, engine, project):
    factories.ProblemFactory(project=project)
    other = factories.EngineFactory(name="api", model="org/other")
    asked = generate(engine, other, temperature="0.7, 1.0, 0.7")
    html = visit(fragment=True, **asked).content.decode()
    assert "in 4 runs together" in html
    assert "other, temperature 0.7" in html
    answer = start(**asked)
    assert answer.headers["Location"] == reverse("runs", args=[project.uid])
    found = Run.objects.values_list("engine__name", "config__temperature")
    assert set(found) == {("gpu", 0.7), ("gpu", 1.0), ("api", 0.7), ("api", 1.0)}


@pytest.mark.parametrize(
    ("temperature", "words"),
    [
        ("warm", "numbers with commas between them"),
        ("", "This field is required"),
        (",", "1 to 24 runs at once, not 0"),
        (", ".join(f"{i / 100}" for i in range(1, 26)), "1 to 24 runs at once, not 25"),
        ("3.0", "3.0 is outside 0 to 2"),
        ("nan", "nan is outside"),
    ],
)
def test_temperatures_are_checked_each(start, engine, project, temperature, words):
    factories.ProblemFactory(project=project)
    answer = start(**generate(engine, temperature=temperature))
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not Run.objects.exists()


def test_a_pattern_counts_only_where_steps_end_at_one(start, engine, project):
    factories.ProblemFactory(project=project)
    start(**generate(engine, pattern="ignored("))
    assert "pattern" not in Run.objects.get().config
    bad = start(**generate(engine, split="pattern", pattern="("))
    assert b"not a regular expression" in bad.content
    start(**generate(engine, split="pattern", pattern=r"\n#"))
    assert Run.objects.filter(config__pattern=r"\n#").count() == 1


def test_a_judge_uses_the_projects_own_wording(start, engine, solved, project, owner):
    text = "Look at {problem} and {solution}."
    project.judge_prompts.create(
        name="strict", version=2, text=text, reply="boxed", created_by=owner
    )
    asked = {"kind": "judge", "engine": engine.uid, "template": "strict-v2", "votes": "3"}
    start(**asked, temperature="0.6", max_tokens="900")
    config = Run.objects.get().config
    assert (config["text"], config["reply"], config["votes"]) == (text, "boxed", 3)


def test_prms_of_the_project_and_served_ones_score(start, solved, project):
    prm = factories.PRMFactory(training_run__snapshot__project=project)
    served = factories.EngineFactory(kind="pooling", name="prm", model="org/prm")
    start(kind="score", prm=f"prm:{prm.uid}", format="qwen-prm", threshold="0.4")
    assert Run.objects.get().config == {"prm": prm.uid, "threshold": 0.4}
    start(kind="score", prm=f"engine:{served.uid}", format="qwen-prm", threshold="0.5")
    assert Run.objects.get(engine=served).config["model"] == "org/prm"


def test_a_new_run_like_an_earlier_one_has_its_settings(visit, engine, solved, project, judge):
    config = {"model": MODEL, "mode": "consensus", "judge": judge.uid, "n": 6}
    run = factories.RunFactory(labeler__project=project, engine=engine, config=config)
    form = visit(like=run.uid).context["form"]
    assert (form["n"].value(), form["judge"].value(), form["engine"].value()) == (
        6, judge.uid, engine.uid,
    )  # fmt: skip
    generated = factories.RunFactory(
        labeler=None, project=project, kind="generate", engine=engine,
        config={"model": MODEL, "temperature": 0.7, "samples": 3},
    )  # fmt: skip
    form = visit(like=generated.uid).context["form"]
    assert (form["temperature"].value(), form["engine"].value()) == ("0.7", [engine.uid])
    assert visit(like="another").status_code == 404
    assert visit(kind="train").status_code == 404


def test_only_engines_that_fit_and_serve_are_offered(visit, engine, solved):
    factories.EngineFactory(name="off", active=False)
    factories.EngineFactory(name="prm-server", kind="pooling")
    offered = [words for _, words in visit(kind="mc").context["form"]["engine"].field.choices]
    assert offered == [f"gpu · {MODEL}"]


def test_without_an_engine_the_page_says_what_is_missing(visit, solved):
    assert b"There is no engine for such runs" in visit(kind="mc").content


def test_what_the_project_lacks_is_refused_in_words(start, engine, solved):
    Problem.objects.update(answer="")
    answer = start(**mc(engine))
    assert answer.status_code == 409
    assert b"reference answer" in answer.content
