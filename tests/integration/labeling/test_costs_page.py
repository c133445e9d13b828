"""The page of costs: every table sums the same, the address narrows it, the file has all of it."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.urls import reverse

from labeling.models import Decision
from labeling.selectors.costs import Wanted, costs
from labeling.services import rollups, runs
from tests import factories as f

pytestmark = pytest.mark.django_db


@pytest.fixture
def spent(project):
    """Four verdicts: three in an MC run at a price, one by a judge on an engine without."""
    engine = f.EngineFactory(prompt_price=1, completion_price=2, hour_price=0, currency="USD")
    free = f.EngineFactory(prompt_price=0, completion_price=0, hour_price=0)
    mc = f.LabelerFactory(project=project, kind="mc", name="MC of 8")
    judge = f.LabelerFactory(project=project, kind="judge", name="=judge")
    dear = f.RunFactory(labeler=mc, engine=engine)
    cheap = f.RunFactory(labeler=judge, engine=free, kind="judge")
    solutions = [f.SolutionFactory(problem__project=project) for _ in range(3)]
    for solution in solutions:
        f.VerdictFactory(
            solution=solution, labeler=mc, first_error=-1, completions=8,
            prompt_tokens=1_000_000, completion_tokens=500_000,
        )  # fmt: skip
    f.VerdictFactory(solution=solutions[0], labeler=judge, first_error=-1, completion_tokens=70)
    runs.progressed(run=dear, seconds=90, now=datetime.now(UTC))
    decided = Decision.objects.filter(solution=solutions[0])
    decided.update(state="consensus", first_error=-1)
    rollups.fold_all()
    return dear, cheap


@pytest.fixture
def lead(client, owner):
    client.force_login(owner)
    return client


def test_every_table_sums_the_same(spent, project):
    found = costs(project, Wanted())
    for lines in (found.runs, found.labelers, found.periods):
        assert sum(line.spent.tokens for line in lines) == 4_500_070
    # three times 1 million at 1 and half a million at 2
    assert found.spent.money == {"USD": pytest.approx(6.0)}
    assert (found.spent.items, found.spent.completions, found.spent.seconds) == (4, 24, 90)
    assert found.spent.unpriced == 70
    assert (found.decided, found.consensus) == (1, 1)
    assert found.per_consensus.money == {"USD": pytest.approx(6.0)}


def test_the_address_narrows_it(spent, project, lead):
    dear, cheap = spent
    page = lead.get(reverse("costs", args=[project.uid])).content.decode()
    assert "4,500,070" in page or "4.5 million" in page
    assert "6.00 USD" in page
    assert "Per decided solution" in page
    narrowed = lead.get(reverse("costs", args=[project.uid]), {"run": cheap.uid}).content.decode()
    assert "6.00 USD" not in narrowed
    assert "Per decided solution" not in narrowed
    assert "Of one run alone" in narrowed
    by_labeler = costs(project, Wanted(labeler=dear.labeler.uid))
    assert [line.first.run for line in by_labeler.runs] == [dear]


def test_days_before_the_period_are_left_out(spent, project):
    f.DayTallyFactory(project=project, day=date(2020, 1, 5), prompt_tokens=11)
    assert costs(project, Wanted()).spent.tokens == 4_500_081
    since = datetime.now(UTC).date() - timedelta(days=7)
    assert costs(project, Wanted(since)).spent.tokens == 4_500_070


def test_many_days_are_shown_by_week(project):
    for number in range(61):
        day = date(2026, 1, 5) + timedelta(days=number)  # a Monday
        f.DayTallyFactory(project=project, day=day, items=1, completion_tokens=2)
    found = costs(project, Wanted())
    assert found.weekly
    assert [p.spent.items for p in found.periods] == [7] * 8 + [5]
    assert [round(p.height) for p in found.periods] == [100] * 8 + [71]


def test_the_file_has_every_run_and_day(spent, project, lead):
    dear, _ = spent
    answer = lead.get(reverse("costs", args=[project.uid]), {"format": "csv"})
    rows = list(csv.DictReader(StringIO(answer.content.decode(), newline="")))
    (mc,) = [row for row in rows if row["run"] == dear.uid]
    assert (mc["labeler"], mc["items"], mc["tokens read"], mc["currency"]) == (
        "MC of 8", "3", "3000000", "USD",
    )  # fmt: skip
    assert float(mc["money"]) == pytest.approx(6.0)
    assert [row["labeler"] for row in rows if row["kind"] == "judge"] == ["'=judge"]


def test_nothing_spent_says_so(project, lead):
    page = lead.get(reverse("costs", args=[project.uid])).content.decode()
    assert "Nothing was spent in this time" in page


def test_the_page_costs_few_queries(spent, project, lead, django_assert_max_num_queries):
    with django_assert_max_num_queries(14):
        lead.get(reverse("costs", args=[project.uid]))
