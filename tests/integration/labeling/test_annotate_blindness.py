"""What the pages of a submitted item tell: nothing of tests and keys, of people only by policy."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from labeling.models import Assignment, Decision
from labeling.services import adjudications, assignments, labelers, projects
from tests import factories

pytestmark = pytest.mark.django_db

KEY_REASON = "the key says that step 3 is wrong"
REMARK = "a remark by zoe"
CRITIQUE = "Paragraph 1 is where it breaks."


@pytest.fixture
def solution(project, adjudicator):
    """A solution with a judge's critique, another annotator's label and an adjudicator's key."""
    made = factories.SolutionFactory(problem__project=project)
    judge = factories.LabelerFactory(project=project, kind="judge", name="judgex")
    factories.VerdictFactory(solution=made, labeler=judge, first_error=1, critique=CRITIQUE)
    zoe = factories.MembershipFactory(project=project, user__username="zoe").user
    other = labelers.person(by=zoe, project=project)
    factories.VerdictFactory(solution=made, labeler=other, comments={"steps": {"0": REMARK}})
    return made


@pytest.fixture
def key(solution, adjudicator):
    adjudications.submit(
        by=adjudicator, solution=solution, key=uuid4(), first_error=2, reason=KEY_REASON
    )
    return factories.GoldItemFactory(solution=solution, added_by=adjudicator)


def given(solution, user, purpose):
    """Lease the solution for this purpose, as the queue would."""
    Decision.objects.filter(solution=solution).update(state="disputed", first_error=None, places=1)
    item = assignments.lease_next(by=user, project=solution.project, now=timezone.now())
    assert item.solution == solution
    Assignment.objects.filter(pk=item.pk).update(purpose=purpose)
    return item


def address(name, item):
    return reverse(name, args=[item.project.uid, item.uid])


def submit(client, item):
    values = {
        "key": str(uuid4()), "active_seconds": 5,
        "draft": {"labels": [1, -1, None], "notes": {}, "note": ""},
    }  # fmt: skip
    body = json.dumps(values)
    return client.post(
        address("annotate_submit", item), body, content_type="application/json"
    ).json()


def pages(client, item):
    names = ("annotate_submitted", "annotate_edit")
    found = "".join(client.get(address(name, item)).content.decode() for name in names)
    history = client.get(reverse("annotate_history", args=[item.project.uid]))
    return found + history.content.decode()


@pytest.fixture
def shown(project, owner):
    """A project that shows people's labels after submitting."""
    projects.change_policy(by=owner, project=project, show_people=True)
    project.refresh_from_db()


def test_other_people_are_shown_after_submitting_where_the_policy_says_so(
    shown, solution, annotator, client
):
    client.force_login(annotator)
    item = given(solution, annotator, "label")
    before = client.get(reverse("annotate", args=[item.project.uid])).content.decode()
    submit(client, item)
    html = pages(client, item)
    assert REMARK not in before
    assert REMARK in html
    assert CRITIQUE in html


def test_other_people_are_not_shown_otherwise(solution, annotator, client):
    client.force_login(annotator)
    item = given(solution, annotator, "label")
    submit(client, item)
    assert REMARK not in pages(client, item)


def test_a_hidden_gold_item_shows_what_others_show_but_no_person_and_no_key(
    shown, key, annotator, client
):
    client.force_login(annotator)
    item = given(key.solution, annotator, "gold")
    answer = submit(client, item)
    html = pages(client, item)
    assert answer["evidence"] == address("annotate_submitted", item)
    assert CRITIQUE in html
    for secret in (KEY_REASON, REMARK, "adam-adjudicator", "gold", "Adjudicator"):
        assert secret not in html


def test_an_exam_item_shows_nothing_that_would_help_to_correct_it(shown, key, annotator, client):
    client.force_login(annotator)
    item = given(key.solution, annotator, "exam")
    answer = submit(client, item)
    html = client.get(address("annotate_submitted", item)).content.decode()
    assert answer["evidence"] is None
    for secret in (KEY_REASON, REMARK, CRITIQUE):
        assert secret not in html
    item.refresh_from_db()
    assert item.evidence_seen_at is None


def test_an_adjudicator_who_labels_gold_is_as_blind(key, adjudicator, client):
    client.force_login(adjudicator)
    item = given(key.solution, adjudicator, "gold")
    submit(client, item)
    html = client.get(address("annotate_submitted", item)).content.decode()
    assert KEY_REASON not in html
    assert REMARK not in html


@pytest.mark.parametrize("purpose", ["gold", "exam"])
def test_an_open_project_shows_no_person_on_gold_and_nothing_on_an_exam(
    purpose, key, project, owner, adjudicator, client
):
    projects.change_policy(by=owner, project=project, blind=False)
    client.force_login(adjudicator)
    item = given(key.solution, adjudicator, purpose)
    sent = client.get(reverse("annotate", args=[project.uid])).content.decode()
    sent += client.get(address("annotate_completions", item) + "?step=0").content.decode()
    assert (CRITIQUE in sent) == (purpose == "gold")
    assert KEY_REASON not in sent
    assert REMARK not in sent
