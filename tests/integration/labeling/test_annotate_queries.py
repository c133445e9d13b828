"""How often the annotate page asks the database: a fixed number, whatever the project's size."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from labeling.models import Assignment, Decision
from labeling.selectors import annotate
from labeling.services import projects
from tests import factories

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db

# sign-in 2, membership with project 1, guidelines 1; BEGIN and COMMIT count: a round trip each
MOST = {"page": 15, "ahead": 13, "draft": 7, "submit": 17, "skip": 9, "release": 8, "history": 5}


@pytest.fixture
def browser(client, annotator, project):
    """A signed-in browser that has opened the page before: the person's labeler exists."""
    client.force_login(annotator)
    fill(project, 1, steps=2)
    page(client, project)
    submit(client, item(annotator))
    return client


def fill(project, count, steps):
    for number in range(count):
        solution = factories.SolutionFactory(
            problem__project=project, steps=[f"Step {number}.{at}" for at in range(steps)]
        )
        factories.VerdictFactory(solution=solution)
        Decision.objects.filter(solution=solution).update(state="disputed")


def item(user, **ahead):
    return Assignment.objects.select_related("solution", "project").get(
        user=user, submitted_at=None, skipped_at=None, **ahead or {"ahead": False}
    )


def url(name, one):
    return reverse(f"annotate_{name}", args=[one.project.uid, one.uid])


def page(client, project):
    return client.get(reverse("annotate", args=[project.uid]))


def ahead(client, one):
    return client.post(url("ahead", one))


def draft(client, one):
    return send(client, url("draft", one), one, version=one.draft_version)


def submit(client, one):
    return send(client, url("submit", one), one, key=str(uuid4()))


def send(client, address, one, **values):
    labels = {"labels": [1] * len(one.solution.steps), "notes": {}, "note": ""}
    body = {"draft": labels, "active_seconds": 3, **values}
    return client.post(address, json.dumps(body), content_type="application/json")


def counts(client, project, user) -> dict[str, int]:
    found = {}

    def count(name, work, *args):
        with CaptureQueriesContext(connection) as queries:
            answer = work(*args)
        assert answer.status_code < 400, name
        found[name] = len(queries)

    count("page", page, client, project)
    count("ahead", ahead, client, item(user))
    count("draft", draft, client, item(user))
    count("submit", submit, client, item(user))
    count("skip", client.post, url("skip", item(user)), {"code": "known"})
    page(client, project)
    count("release", client.post, url("release", item(user)))
    count("history", client.get, reverse("annotate_history", args=[project.uid]))
    return found


def test_the_database_is_asked_as_often_in_a_large_project(browser, project, annotator):
    fill(project, 5, steps=2)
    few = counts(browser, project, annotator)
    Assignment.objects.filter(submitted_at=None, skipped_at=None).delete()
    Decision.objects.filter(state="disputed").update(places=0)
    fill(project, 40, steps=60)
    many = counts(browser, project, annotator)
    assert few == many


def test_the_database_is_asked_no_more_than_it_has_to_be(browser, project, annotator):
    fill(project, 5, steps=2)
    found = counts(browser, project, annotator)
    assert {name: n for name, n in found.items() if n > MOST[name]} == {}


def test_shares_of_gold_and_audits_cost_one_question_more(browser, project, annotator):
    fill(project, 5, steps=2)
    before = counts(browser, project, annotator)["ahead"]
    projects.change_policy(by=project.created_by, project=project, gold_share=1e-9)
    fill(project, 5, steps=2)
    assert counts(browser, project, annotator)["ahead"] == before + 1


def test_those_who_wait_are_counted_to_a_limit(monkeypatch, project, annotator):
    monkeypatch.setattr(annotate, "WAITING_COUNTED", 3)
    fill(project, 2, steps=2)
    assert annotate.progress(annotator, project, NOW).waiting_words == "2"
    fill(project, 2, steps=2)
    assert annotate.progress(annotator, project, NOW).waiting_words == "3+"
