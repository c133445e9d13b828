"""What the dashboards' benchmark is made of: people's labels, and what one new verdict costs."""

from __future__ import annotations

import pytest

from annotator.benchmarks import crowd, dashboards, filling
from labeling.models import Assignment, BoardCount, DayTally, Project, Verdict
from labeling.selectors.costs import Wanted, costs
from labeling.services import rollups

pytestmark = pytest.mark.django_db


@pytest.fixture
def filled(owner, adjudicator, monkeypatch):
    """300 solutions; every fourth dispute and tenth consensus is labeled by people."""
    project = filling.fill(by=owner, name="Bench", solutions=300)
    monkeypatch.setattr(crowd, "SHARE", 20)
    monkeypatch.setattr(crowd, "AUDITED", 30)
    crowd.label(project, filling.people(project, 3), adjudicator, seed=0)
    rollups.fold_all()
    return project


def test_people_label_disputes_and_audit(filled):
    given = Assignment.objects.filter(project=filled)
    # 300 / 20 disputes for three, 300 / 30 audits for one of them
    assert given.filter(purpose="label").count() == 3 * 15
    assert given.filter(purpose="audit").count() == 10
    assert Verdict.objects.filter(labeler__kind="adjudicator").count() == 2
    assert rollups.differences(filled) == {}


def test_a_filled_project_has_runs_that_cost(filled):
    found = costs(filled, Wanted())
    assert {line.first.run.kind for line in found.runs} == {"generate", "mc", "judge"}
    assert found.spent.money["USD"] > 0
    assert DayTally.objects.filter(project=filled).values("day").distinct().count() == 1


def test_a_new_verdict_leaves_the_counts_as_they_were(filled, monkeypatch):
    monkeypatch.setattr(dashboards, "NEW_VERDICTS", 2)
    before = dict(BoardCount.objects.filter(n__gt=0).values_list("pk", "n"))
    found = dashboards.new_verdict(filled)
    assert found["stored"]["queries"] > 0
    assert dict(BoardCount.objects.filter(n__gt=0).values_list("pk", "n")) == before
    assert rollups.differences(filled) == {}


def test_a_project_with_runs_can_be_deleted(filled):
    filling.delete(filled)
    assert not Project.objects.filter(pk=filled.pk).exists()
    assert not DayTally.objects.exists()
