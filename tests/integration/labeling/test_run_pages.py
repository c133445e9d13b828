"""The pages of runs: numbers, troubles, failures, steering, and who may do what."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from labeling.models import Run, Verdict
from labeling.selectors import runs as reads
from labeling.services import presence
from tests import factories

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def engine():
    return factories.EngineFactory(name="big-gpu", prompt_price=1, completion_price=10)


@pytest.fixture
def mc(project):
    config = {"model": "m", "mode": "hard", "n": 8, "template": "plain-v1"}
    return factories.LabelerFactory(project=project, kind="mc", name="MC of 8 · m", config=config)


@pytest.fixture
def run(mc, engine, now):
    made = factories.RunFactory(
        labeler=mc, engine=engine, config=mc.config, seconds=50.0, last_progress_at=now
    )
    Run.objects.filter(pk=made.pk).update(created_at=now - timedelta(seconds=100))
    made.refresh_from_db()
    return made


@pytest.fixture
def verdicts(run):
    """Of ten solutions six scored, two unscored, one refuted; one is left."""
    common = {"completions": 3, "exhaustive_completions": 16, "prompt_tokens": 30_000,
              "completion_tokens": 1_000}  # fmt: skip
    for _ in range(6):
        say(run, **common)
    for reason in ("no verdict", "no verdict"):
        say(run, state="unscored", first_error=None, reason=reason, completions=5)
    say(run, state="refuted", first_error=None, refuted_at=1, reason="refutes", **common)
    factories.SolutionFactory(problem__project=run.project)


def say(run, **fields):
    return factories.VerdictFactory(
        solution__problem__project=run.project, labeler=run.labeler, **fields
    )


def served(queue="mc", ago=5.0):
    seen_at = timezone.now() - timedelta(seconds=ago)
    presence.record(queues={queue: 1}, now=seen_at)


def row_of(run, now):
    return reads.runs_of(run.project, now)[0]


def page_of(client, name, project, *more):
    return client.get(reverse(name, args=[project.uid, *more])).content.decode()


def test_a_run_counts_what_is_done_and_how_fast(run, verdicts, now):
    row = row_of(run, now)
    progress = row.progress
    assert (progress.done, progress.total, progress.percent) == (9, 10, 90)
    assert (progress.unscored, progress.refuted) == (2, 1)
    # nine verdicts, 31 completions and 7,000 tokens in the run's 100 seconds; one is left
    assert row.speed.items == pytest.approx(0.09)
    assert row.speed.completions == pytest.approx(0.31)
    assert row.speed.tokens == pytest.approx(70)
    assert row.speed.eta == pytest.approx(1 / 0.09)


def test_only_the_last_two_minutes_make_the_speed(run, verdicts, now):
    Run.objects.update(created_at=now - timedelta(hours=8))
    Verdict.objects.filter(state="scored").update(created_at=now - timedelta(minutes=3))
    run.refresh_from_db()
    assert row_of(run, now).speed.items == pytest.approx(3 / 120)
    Verdict.objects.update(created_at=now - timedelta(minutes=3))
    assert row_of(run, now).speed is None


def test_cost_follows_the_price_table_and_is_projected_to_the_end(run, verdicts, now, engine):
    cost = row_of(run, now).cost
    assert (cost.completions, cost.settled, cost.exhaustive) == (31, 21, 112)
    assert cost.saving == pytest.approx(112 / 21)
    # 0.21 M tokens read at 1, 0.007 M written at 10 per million
    assert cost.money == pytest.approx(0.28)
    # nine of ten are done
    assert cost.projected == pytest.approx(0.28 * 10 / 9)
    engine.hour_price = 36
    engine.save()
    assert row_of(Run.objects.get(), now).cost.money == pytest.approx(0.28 + 0.5)


def test_an_earlier_run_of_the_labeler_paid_for_its_own(run, verdicts, now, mc):
    Run.objects.update(state="cancelled")
    second = factories.RunFactory(labeler=mc, engine=run.engine, config=mc.config)
    say(second, prompt_tokens=1_000_000)
    newer, older = reads.runs_of(run.project, timezone.now())
    assert newer.progress.done == older.progress.done == 10
    assert (newer.cost.money, older.cost.money) == (pytest.approx(1.0), pytest.approx(0.28))


def test_a_generation_run_counts_problems(project, now):
    problems = [factories.ProblemFactory(project=project) for _ in range(4)]
    run = factories.RunFactory(
        labeler=None, project=project, kind="generate", config_hash="c" * 32, config={}
    )
    factories.SamplingFactory(
        problem=problems[0], config_hash=run.config_hash, completion_tokens=80,
        drawn=5, kept=2, unusable=3, reason="the model wrote no step",
    )  # fmt: skip
    another = factories.ProblemFactory()
    factories.RunFactory(
        labeler=None, project=another.project, kind="generate", config_hash="c" * 32, config={}
    )
    factories.SamplingFactory(problem=another, config_hash=run.config_hash)
    row = row_of(run, now)
    assert (row.progress.done, row.progress.total, row.progress.unusable) == (1, 4, 3)
    assert (row.cost.completions, row.cost.completion_tokens) == (5, 80)
    assert reads.failures_of(run) == [reads.Failure("the model wrote no step", 1)]


def test_a_generation_run_for_unsolved_problems_leaves_the_solved_out(project, now):
    bare = [factories.ProblemFactory(project=project) for _ in range(3)]
    factories.SolutionFactory(problem__project=project)
    run = factories.RunFactory(
        labeler=None, project=project, kind="generate", config={"unsolved_only": True}
    )
    factories.SamplingFactory(problem=bare[0], config_hash=run.config_hash)
    progress = row_of(run, now).progress
    assert (progress.done, progress.total) == (1, 3)


def stand_still():
    long_ago = timezone.now() - timedelta(hours=1)
    Run.objects.update(created_at=long_ago, last_progress_at=long_ago)


def test_no_worker_of_the_queue_is_said_instead_of_a_spinner(run, verdicts, client, viewer):
    stand_still()
    served("mc", ago=185)
    served("default")
    client.force_login(viewer)
    for html in (
        page_of(client, "runs", run.project),
        page_of(client, "run", run.project, run.uid),
    ):
        assert "No worker has served the queue mc for 3 minutes." in html
        assert "celery -A annotator.celery worker --queues mc" in html


def test_an_unserved_run_has_no_speed(run, verdicts, now):
    stand_still()
    served("mc", ago=185)
    served("default")
    assert row_of(run, now).speed is None
    served("mc")
    assert row_of(run, now).speed is not None


def test_a_leased_item_tells_that_a_worker_is_there(run, verdicts, now):
    stand_still()
    assert row_of(Run.objects.get(), now).attention.trouble == "uncounted"
    factories.ClaimFactory(run=run)
    assert row_of(Run.objects.get(), now).attention is None


def test_a_failing_engine_is_named_with_the_next_try(run, verdicts, client, viewer):
    Run.objects.update(
        failures=2, reason="<b>refused</b>", retry_at=timezone.now() + timedelta(seconds=30.5)
    )
    client.force_login(viewer)
    html = page_of(client, "run", run.project, run.uid)
    assert "The engine failed 2 times in a row: &lt;b&gt;refused&lt;/b&gt;" in html
    assert "tried again in 30 seconds" in html


def test_a_consensus_run_says_that_it_waits_for_the_judge(run, verdicts, now, project):
    judge = factories.LabelerFactory(project=project, kind="judge")
    config = {**run.config, "mode": "consensus", "judge": judge.uid}
    Run.objects.update(config=config)
    stand_still()
    served("mc")
    assert row_of(run, now).attention.trouble == "judge"
    for verdict in Verdict.objects.filter(labeler=run.labeler):
        factories.VerdictFactory(solution=verdict.solution, labeler=judge)
    assert row_of(run, now).attention.trouble == "judge"
    factories.VerdictFactory(solution=project.solutions.last(), labeler=judge)
    assert row_of(run, now).attention.trouble == "busy"


def test_failures_are_grouped_with_examples_to_open_and_to_retry(
    run, verdicts, client, manager, viewer
):
    for reason in ("no verdict", "no verdict", "<script>alert(1)</script>"):
        say(run, state="unscored", first_error=None, reason=reason)
    first, second = reads.failures_of(run)
    assert (first.reason, first.count, len(first.examples)) == ("no verdict", 4, 3)
    assert (second.count, len(second.examples)) == (1, 1)
    client.force_login(manager)
    html = page_of(client, "run", run.project, run.uid)
    assert "&lt;script&gt;alert(1)" in html
    assert "<script>alert" not in html
    for uid in first.examples:
        assert reverse("solution", args=[run.project.uid, uid]) in html
    assert "Retry these" in html
    client.force_login(viewer)
    assert "Retry these" not in page_of(client, "run", run.project, run.uid)


def test_retrying_one_reason_leaves_the_others(run, verdicts, client, manager):
    say(run, state="unscored", first_error=None, reason="cut off")
    client.force_login(manager)
    address = reverse("move_run", args=[run.project.uid, run.uid, "retry"])
    like = Verdict.objects.filter(reason="no verdict").first().solution.uid
    answer = client.post(address, {"like": like})
    assert answer.headers["Location"] == reverse("run", args=[run.project.uid, run.uid])
    assert list(Verdict.objects.filter(state="unscored").values_list("reason", flat=True)) == [
        "cut off"
    ]
    for gone in (like, "\0", "nobody"):
        assert client.post(address, {"like": gone}).status_code == 404
    assert Verdict.objects.filter(state="unscored").count() == 1


def test_a_reason_of_several_lines_is_retried_too(run, verdicts, client, manager):
    odd = say(run, state="unscored", first_error=None, reason="two\nlines ")
    client.force_login(manager)
    address = reverse("move_run", args=[run.project.uid, run.uid, "retry"])
    client.post(address, {"like": odd.solution.uid})
    assert not Verdict.objects.filter(pk=odd.pk).exists()
    assert Verdict.objects.filter(state="unscored").count() == 2


def test_managers_pause_resume_and_cancel_and_viewers_may_not(run, manager, viewer, client):
    client.force_login(viewer)
    address = {
        move: reverse("move_run", args=[run.project.uid, run.uid, move])
        for move in ("pause", "resume", "cancel", "dance")
    }
    refused = client.post(address["pause"])
    assert refused.status_code == 403
    assert b"the role viewer may not manage" in refused.content
    client.force_login(manager)
    for move, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        answer = client.post(address[move], {"back": "list"})
        assert answer.headers["Location"] == reverse("runs", args=[run.project.uid])
        run.refresh_from_db()
        assert run.state == state
    again = client.post(address["pause"])
    assert again.status_code == 409
    assert b"a run that is cancelled cannot be paused" in again.content
    assert client.post(address["dance"]).status_code == 400


@pytest.mark.parametrize("name", ["runs", "run"])
def test_a_fragment_polls_while_a_run_is_alive_and_drops_its_trigger_at_the_end(
    name, run, client, viewer
):
    client.force_login(viewer)
    address = reverse(name, args=[run.project.uid, *([run.uid] if name == "run" else [])])
    for state, polls in (("running", True), ("paused", True), ("done", False)):
        Run.objects.update(state=state)
        part = client.get(address, headers=HTMX)
        assert b"<html" not in part.content
        assert (b'hx-trigger="every 2s"' in part.content) is polls
        assert "HX-Request" in part.headers["Vary"]


def test_the_page_tells_settings_in_words_refutations_and_history(
    run, verdicts, client, manager, project
):
    judge = factories.LabelerFactory(project=project, kind="judge", name="the judge's name")
    Run.objects.update(config={**run.config, "mode": "consensus", "judge": judge.uid})
    client.force_login(manager)
    client.post(reverse("move_run", args=[project.uid, run.uid, "pause"]))
    html = page_of(client, "run", project, run.uid)
    for words in (
        "the judge&#x27;s name", "Completions per step", "the same consensus", "big-gpu",
        "1 refute the judge", "the completions contradict the judge", "run paused",
        "5.3 × fewer than the 112",
    ):  # fmt: skip
        assert words in html, words


def test_prices_are_for_managers(run, client, manager, viewer, project):
    client.force_login(manager)
    html = page_of(client, "engines", project)
    assert "big-gpu" in html
    assert "10 USD" in html
    assert run.engine.options["url"] not in html
    client.force_login(viewer)
    assert "big-gpu" in page_of(client, "runs", project)
    assert client.get(reverse("engines", args=[project.uid])).status_code == 403


@pytest.mark.parametrize("kind", ["mc", "generate"])
def test_the_list_takes_the_same_number_of_queries_whatever_the_number_of_runs(
    kind, run, verdicts, project, client, viewer
):
    client.force_login(viewer)
    address = reverse("runs", args=[project.uid])
    one_more(kind, project)
    before = queries_of(client, address)
    for _ in range(5):
        one_more(kind, project)
    assert queries_of(client, address) == before
    assert before <= 22


def one_more(kind, project):
    if kind == "generate":
        config = {"unsolved_only": True, "number": Run.objects.count()}
        run = factories.RunFactory(labeler=None, project=project, kind=kind, config=config)
        problem = factories.ProblemFactory(project=project)
        factories.SamplingFactory(problem=problem, config_hash=run.config_hash)
        return
    labeler = factories.LabelerFactory(project=project)
    judge = factories.LabelerFactory(project=project, kind="judge")
    config = {"judge": judge.uid, "mode": "consensus"}
    run = factories.RunFactory(labeler=labeler, config=config, engine=factories.EngineFactory())
    factories.ClaimFactory(run=run)
    say(run)


def test_a_runs_page_takes_few_queries_whatever_the_verdicts(run, verdicts, project, client, owner):
    client.force_login(owner)
    address = reverse("run", args=[project.uid, run.uid])
    before = queries_of(client, address)
    for number in range(5):
        say(run, state="unscored", first_error=None, reason=f"another {number}")
        say(run)
    assert queries_of(client, address) == before
    assert before <= 25


def queries_of(client, address):
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)
