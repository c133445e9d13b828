"""Numbers about people over the API: for managers only, and those of the pages."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from labeling.domain.assignments import GoldUse
from labeling.services import gold, tokens
from tests.answers import answered, solution_of

pytestmark = pytest.mark.django_db
ROUTES = ("api-people", "api-gold")


@pytest.fixture
def call(client, project):
    def ask(user, name, scopes=("read",), **query):
        _, plain = tokens.issue(by=user, name="t", scopes=scopes, days=1, now=timezone.now())
        headers = {"Authorization": f"Bearer {plain}"}
        return client.get(reverse(name, args=[project.uid]), query, headers=headers)

    return ask


@pytest.fixture
def answers(project, annotator, manager):
    for number, said in enumerate([2, 3, None]):
        solution = solution_of(project, number)
        gold.add(by=manager, solution=solution, use=GoldUse.HIDDEN, explanation="", first_error=2)
        answered(annotator, solution, said, purpose="gold")


def test_people_come_with_counts_and_intervals(answers, manager, call):
    found = {row["name"]: row for row in call(manager, "api-people").json()}
    anna = found["anna-annotator"]
    exact = anna["gold"]["exact"]
    assert (exact["part"], exact["whole"], exact["value"]) == (1, 2, 0.5)
    # Wilson's interval of 1 of 2
    assert exact["interval"] == pytest.approx([0.0945, 0.9055], abs=0.001)
    assert (anna["gold"]["outcomes"]["late"], anna["gold"]["rejected"]) == (1, 1)
    assert (anna["pace"]["submitted"], anna["role"]) == (3, "annotator")
    assert found["mona-manager"]["exam"]["exact"] == {
        "part": 0, "whole": 0, "value": None, "interval": None,
    }  # fmt: skip


def test_gold_items_come_with_their_answers(answers, manager, call):
    rows = call(manager, "api-gold").json()
    assert sorted((row["key"], row["answers"]) for row in rows if row["answers"][0][0]) == [
        (2, [[2, 1]]),
        (2, [[3, 1]]),
    ]
    assert [[None, 1]] in [row["answers"] for row in rows]


def test_the_period_is_checked(answers, manager, call):
    assert call(manager, "api-people", days=7).status_code == 200
    for days in (0, -1, "week", 10**9):
        assert call(manager, "api-people", days=days).status_code == 400


@pytest.mark.parametrize("name", ROUTES)
def test_only_who_manages_may(name, project, call, annotator, adjudicator, viewer, outsider):
    for user in (annotator, adjudicator, viewer):
        assert call(user, name).status_code == 403
    assert call(outsider, name).status_code == 404


@pytest.mark.parametrize("name", ROUTES)
def test_the_scope_is_read(name, manager, call):
    assert call(manager, name, scopes=("export",)).status_code == 403
