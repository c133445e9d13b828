"""A person's keys: kept for them alone, checked, and never code on a page."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from labeling.domain.consensus import DecisionState
from labeling.domain.refusals import Invalid
from labeling.models import Event, User
from labeling.services import preferences
from tests import factories

pytestmark = pytest.mark.django_db


def post(client, values):
    return client.post(reverse("preferences"), json.dumps(values), content_type="application/json")


def test_chosen_keys_are_kept_for_the_person_alone(client, annotator, owner):
    client.force_login(annotator)
    answer = post(client, {"keys": {"correct": "c"}, "evidence": False})
    assert answer.status_code == 200
    assert answer.json()["keys"]["correct"] == "c"
    annotator.refresh_from_db()
    owner.refresh_from_db()
    assert annotator.preferences["keys"]["correct"] == "c"
    assert annotator.preferences["evidence"] is False
    assert owner.preferences == {}
    assert Event.objects.get(action="preferences saved").actor == annotator


def test_each_page_changes_its_own_keys_only(client, adjudicator):
    client.force_login(adjudicator)
    post(client, {"keys": {"correct": "c"}, "evidence": False})
    post(client, {"adjudication": {"discard": "y"}, "off": True})
    adjudicator.refresh_from_db()
    kept = adjudicator.preferences
    assert (kept["keys"]["correct"], kept["adjudication"]["discard"]) == ("c", "y")
    assert (kept["evidence"], kept["off"]) == (False, True)


def test_the_page_where_one_decides_carries_the_keys(client, adjudicator, project, dispute_on):
    decided = dispute_on(project)
    preferences.save(by=adjudicator, values={"adjudication": {"discard": "<", "side_1": "y"}})
    client.force_login(adjudicator)
    page = client.get(
        reverse("solution", args=[project.uid, decided.solution.uid])
    ).content.decode()
    assert '<kbd data-key="discard">&lt;</kbd>' in page
    assert '"discard": "\\u003C"' in page
    assert 'data-remap="side_1"' in page
    assert '<kbd data-key="side_1">y</kbd>' in page


@pytest.mark.parametrize(
    "values", [{"keys": {"correct": "<img src=x onerror=alert(1)>"}}, {"keys": {"correct": "3"}}]
)
def test_what_is_not_allowed_is_refused_in_words_and_changes_nothing(client, annotator, values):
    client.force_login(annotator)
    answer = post(client, values)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert "key" in answer.json()["words"]
    annotator.refresh_from_db()
    assert annotator.preferences == {}
    assert not Event.objects.exists()


@pytest.mark.parametrize("body", ["", "[]", "1", "{"])
def test_what_is_no_json_object_is_refused(client, annotator, body):
    client.force_login(annotator)
    answer = client.post(reverse("preferences"), body, content_type="application/json")
    assert answer.status_code == 400


def test_the_anonymous_have_no_preferences(client):
    answer = post(client, {})
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(reverse("login"))


def test_the_page_carries_the_keys_escaped(client, annotator, project, dispute_on):
    dispute_on(project)
    preferences.save(by=annotator, values={"keys": {"correct": "<", "wrong": "&"}})
    client.force_login(annotator)
    page = client.get(reverse("annotate", args=[project.uid])).content.decode()
    assert '<kbd data-key="correct">&lt;</kbd>' in page
    assert '<kbd data-key="wrong">&amp;</kbd>' in page
    # in the script's data too: neither sign stands there as itself
    assert '"correct": "\\u003C"' in page
    assert '"wrong": "\\u0026"' in page


def test_keys_that_became_impossible_give_way_to_the_usual_ones(
    client, annotator, project, dispute_on
):
    """A row written by hand or by an older version breaks no page."""
    dispute_on(project)
    User.objects.filter(pk=annotator.pk).update(preferences={"keys": {"gone": "<script>"}})
    client.force_login(annotator)
    page = client.get(reverse("annotate", args=[project.uid])).content.decode()
    assert '<kbd data-key="correct">1</kbd>' in page
    assert "gone" not in page


def test_the_service_refuses_what_the_domain_refuses(annotator):
    with pytest.raises(Invalid, match="no action"):
        preferences.save(by=annotator, values={"keys": {"fly": "x"}})


@pytest.fixture
def dispute_on():
    def make(project):
        solution = factories.SolutionFactory(problem__project=project, steps=["a", "b"])
        return factories.DecisionFactory(
            solution=solution, project=project, state=DecisionState.DISPUTED, places=1
        )

    return make
