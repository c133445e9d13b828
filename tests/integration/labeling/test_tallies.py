"""The triggers that count and sum: exact whoever writes, and no writer waits in a circle."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from django.db import connection, transaction
from django.db.models import Sum

from labeling.domain.labels import VerdictState
from labeling.models import DayTally, Problem, Project, Solution, Verdict, VerdictTally
from labeling.selectors.run_sums import counted
from labeling.services import runs, verdicts
from tests import factories

COSTS = ("completions", "exhaustive_completions", "prompt_tokens", "completion_tokens")
COSTS_BY_DAY = ("completions", "prompt_tokens", "completion_tokens")
DAY_SUMS = ("items", *COSTS_BY_DAY, "seconds")


@pytest.fixture
def mc(project):
    return factories.LabelerFactory(project=project, kind="mc")


def said(labeler, state="scored", cost=1, **fields):
    """Store one verdict whose costs are 1, 2, 3 and 4 times `cost`."""
    scored = {"first_error": -1} if state == "scored" else {"first_error": None, "reason": "no"}
    return factories.VerdictFactory(
        solution__problem__project=labeler.project,
        labeler=labeler,
        state=state,
        **scored,
        **{name: cost * (i + 1) for i, name in enumerate(COSTS)},
        **fields,
    )


def tally(labeler):
    """Return the sums by state: verdicts, then the four costs."""
    rows = VerdictTally.objects.filter(labeler=labeler).values("state")
    sums = rows.annotate(n=Sum("verdicts"), **{f"sum_{c}": Sum(c) for c in COSTS})
    return {r["state"]: (r["n"], *(r[f"sum_{c}"] for c in COSTS)) for r in sums}


@pytest.mark.django_db
def test_every_verdict_counts_once_by_state(mc):
    assert tally(mc) == {}
    said(mc, cost=1)
    said(mc, cost=10)
    said(mc, "unscored", cost=2)
    said(mc, "refuted", cost=3, refuted_at=1)
    assert tally(mc) == {
        "scored": (2, 11, 22, 33, 44),
        "unscored": (1, 2, 4, 6, 8),
        "refuted": (1, 3, 6, 9, 12),
    }


@pytest.mark.django_db
def test_a_batch_that_is_delivered_twice_counts_once(mc, owner):
    solutions = [factories.SolutionFactory(problem__project=mc.project) for _ in range(3)]
    batch = [
        verdicts.NewVerdict(s.pk, VerdictState.SCORED, 0, fields={"completion_tokens": 5})
        for s in solutions
    ]
    for _ in range(2):
        verdicts.record(by=owner, labeler=mc, verdicts=batch)
    assert tally(mc) == {"scored": (3, 0, 0, 0, 15)}


@pytest.mark.django_db
def test_what_is_retried_is_no_verdict_any_more_but_stays_paid(mc, owner):
    run = factories.RunFactory(labeler=mc)
    said(mc, "unscored", cost=7)
    said(mc, cost=1)
    runs.retry_unscored(by=owner, run=run)
    assert tally(mc) == {"unscored": (0, 7, 14, 21, 28), "scored": (1, 1, 2, 3, 4)}


@pytest.mark.django_db
def test_a_changed_verdict_moves(mc):
    verdict = said(mc, cost=5)
    Verdict.objects.filter(pk=verdict.pk).update(
        state="unscored", first_error=None, reason="no", completions=6
    )
    assert tally(mc) == {"scored": (0, 0, 0, 0, 0), "unscored": (1, 6, 10, 15, 20)}


@pytest.mark.django_db
def test_people_are_not_summed(project):
    human = factories.LabelerFactory(project=project, kind="human")
    said(human)
    assert tally(human) == {}


@pytest.mark.django_db
def test_the_newest_run_pays(mc):
    said(mc, cost=1)
    first = factories.RunFactory(labeler=mc, state="cancelled")
    said(mc, cost=2)
    second = factories.RunFactory(labeler=mc)
    said(mc, cost=3)
    paid = VerdictTally.objects.filter(labeler=mc).values_list("run", "completions")
    assert dict(paid) == {None: 1, first.pk: 2, second.pk: 3}


@pytest.mark.django_db
def test_a_deleted_solution_takes_its_verdict_along(mc):
    said(mc).solution.delete()
    assert tally(mc)["scored"][0] == 0


@pytest.mark.django_db
def test_a_labeler_can_be_deleted_with_its_verdicts(mc):
    said(mc)
    mc.delete()
    connection.check_constraints()
    assert not VerdictTally.objects.exists()


@pytest.mark.django_db
def test_problems_and_solutions_are_counted_by_project(project):
    assert counted(project) == (0, 0)
    problem = factories.ProblemFactory(project=project)
    for _ in range(3):
        factories.SolutionFactory(problem=problem)
    factories.SolutionFactory()  # another project's
    assert counted(project) == (1, 3)
    Problem.objects.bulk_create([Problem(**fields(problem))], ignore_conflicts=True)
    assert counted(project) == (1, 3)
    Solution.objects.filter(project=project).first().delete()
    assert counted(project) == (1, 2)
    problem.delete()
    assert counted(project) == (0, 0)


def fields(problem):
    names = ("project", "statement", "answer", "content_hash", "split")
    return {name: getattr(problem, name) for name in names}


@pytest.mark.django_db
def test_a_project_can_be_deleted_with_everything_in_it(owner):
    solution = factories.SolutionFactory()
    Project.objects.filter(pk=solution.project.pk).delete()
    connection.check_constraints()
    assert not Solution.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_writers_side_by_side_lose_nothing(mc):
    """Eight connections; some of them meet in a slot."""
    solutions = [factories.SolutionFactory(problem__project=mc.project) for _ in range(64)]

    def write(mine):
        try:
            for solution in mine:
                with transaction.atomic():
                    new = verdicts.NewVerdict(
                        solution.pk, VerdictState.SCORED, -1, fields={"completions": 1}
                    )
                    verdicts.record(by=mc.project.created_by, labeler=mc, verdicts=[new])
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, [solutions[i::8] for i in range(8)]))
    assert tally(mc) == {"scored": (64, 64, 0, 0, 0)}


def spent(project):
    """Return what the days hold: (labeler, run, day) → items, completions, tokens, seconds."""
    rows = DayTally.objects.filter(project=project).values_list("labeler", "run", "day")
    sums = rows.annotate(*map(Sum, DAY_SUMS))
    return {(labeler, run, str(day)): tuple(rest) for labeler, run, day, *rest in sums}


def on(day):
    """Write rows late on a day of January 2026, when it is the next day east of Greenwich."""
    return patch("django.utils.timezone.now", lambda: datetime(2026, 1, day, 23, 30, tzinfo=UTC))


@pytest.mark.django_db
def test_what_verdicts_took_is_kept_by_run_and_day(mc, project):
    with on(5):
        said(mc, cost=1)
        run = factories.RunFactory(labeler=mc)
        said(mc, cost=10)
        said(mc, "unscored", cost=2)
    with on(6):
        said(mc, cost=3)
    assert spent(project) == {
        (mc.pk, None, "2026-01-05"): (1, 1, 3, 4, 0),
        (mc.pk, run.pk, "2026-01-05"): (2, 12, 36, 48, 0),
        (mc.pk, run.pk, "2026-01-06"): (1, 3, 9, 12, 0),
    }


@pytest.mark.django_db
def test_a_days_costs_equal_the_sums_of_the_labeler(mc, owner):
    run = factories.RunFactory(labeler=mc)
    said(mc, "unscored", cost=7)
    kept = said(mc, cost=1)
    runs.retry_unscored(by=owner, run=run)
    Verdict.objects.filter(pk=kept.pk).update(completions=6)
    Verdict.objects.filter(pk=kept.pk).update(reason="nothing that costs")
    by_day = DayTally.objects.filter(labeler=mc).aggregate(*map(Sum, COSTS_BY_DAY))
    by_state = VerdictTally.objects.filter(labeler=mc).aggregate(*map(Sum, COSTS_BY_DAY))
    assert by_day == by_state
    assert by_day["completions__sum"] == 13


@pytest.mark.django_db
def test_generation_and_workers_time_are_kept_by_day(project):
    run = factories.RunFactory(
        project=project, kind="generate", labeler=None, config_hash="drawn",
        created_by=project.created_by,
    )  # fmt: skip
    problem = factories.ProblemFactory(project=project)
    with on(7):
        factories.SamplingFactory(
            problem=problem, config_hash="drawn", drawn=4, kept=4, prompt_tokens=50,
            completion_tokens=600,
        )  # fmt: skip
    now = datetime.now(UTC)
    today = str(now.date())
    for later, seconds in ((0, 1.5), (2, 2.0)):
        runs.progressed(run=run, seconds=seconds, now=now + timedelta(seconds=later))
    assert spent(project) == {
        (None, run.pk, "2026-01-07"): (1, 4, 50, 600, 0),
        (None, run.pk, today): (0, 0, 0, 0, 3.5),
    }


@pytest.mark.django_db
def test_people_spend_no_tokens(project):
    said(factories.LabelerFactory(project=project, kind="human"))
    assert spent(project) == {}
