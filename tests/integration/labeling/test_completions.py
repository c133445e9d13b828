"""The completions behind a Monte-Carlo count: fetched when opened, by those who may see them."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from django.urls import reverse

from labeling.models import Assignment, Verdict
from labeling.services import projects
from tests import factories

pytestmark = pytest.mark.django_db

FRAGMENT = {"HX-Request": "true"}


@pytest.fixture
def solution(project):
    """Three right and one wrong completion of each step; everybody finds the solution right."""
    made = factories.SolutionFactory(problem__project=project, steps=["a", "b", "c"])
    mc = factories.LabelerFactory(project=project, kind="mc")
    counts = {"mc_k": [3, 3, 1], "mc_n": [4, 4, 1]}
    factories.VerdictFactory(solution=made, labeler=mc, first_error=-1, **counts)
    judge = factories.LabelerFactory(project=project, kind="judge")
    factories.VerdictFactory(solution=made, labeler=judge, first_error=-1)
    for step in (0, 1):
        for sample in range(5):  # the fifth was drawn for another estimate
            factories.RolloutFactory(
                solution=made, labeler=mc, step=step, sample=sample, correct=sample != 1,
                text=f"from {step} number {sample}",
            )  # fmt: skip
    return made


@pytest.fixture
def item(solution, annotator):
    solution.decision.places = 1
    return factories.AssignmentFactory(
        solution=solution, user=annotator, expires_at=solution.created_at
    )


def ask(client, name, uid, project, labeler=None, **headers):
    values = {"labeler": (labeler or project.labelers.get(kind="mc")).uid, "step": 1}
    return client.get(reverse(name, args=[project.uid, uid]), values, headers=headers)


def submit(client, item):
    body = {
        "key": str(uuid4()), "active_seconds": 5,
        "draft": {"labels": [1, -1, None], "notes": {}, "note": ""},
    }  # fmt: skip
    address = reverse("annotate_submit", args=[item.project.uid, item.uid])
    assert (
        client.post(address, json.dumps(body), content_type="application/json").status_code == 200
    )


def test_the_solutions_page_comes_without_them_and_asks_for_a_step(
    solution, project, viewer, client
):
    client.force_login(viewer)
    page = client.get(reverse("solution", args=[project.uid, solution.uid])).content.decode()
    assert "<b>3 of 4</b>" in page
    assert "from 1" not in page
    part = ask(client, "completions", solution.uid, project, **FRAGMENT).content.decode()
    assert [f"number {n}" in part for n in range(5)] == [True, True, True, True, False]
    assert "from 0" not in part
    assert "<html" not in part


def test_steps_in_question_come_with_two_of_each_outcome_and_the_rest_on_asking(
    solution, project, viewer, client
):
    Verdict.objects.filter(labeler__kind="judge").update(first_error=1)
    client.force_login(viewer)
    page = client.get(reverse("solution", args=[project.uid, solution.uid])).content.decode()
    assert [f"from 1 number {n}" in page for n in range(4)] == [True, True, True, False]
    rest = client.get(
        reverse("completions", args=[project.uid, solution.uid]),
        {"labeler": project.labelers.get(kind="mc").uid, "step": 1, "rest": 1},
    )
    said = rest.content.decode()
    assert [f"from 1 number {n}" in said for n in range(4)] == [False, False, False, True]
    assert "<html" in said  # the link works without a script


def test_an_annotator_gets_them_after_submitting_and_that_is_noted(
    item, project, annotator, client
):
    client.force_login(annotator)
    assert ask(client, "annotate_completions", item.uid, project).status_code == 404
    submit(client, item)
    assert Assignment.objects.get(pk=item.pk).evidence_seen_at is None
    assert (
        "from 1 number 1" in ask(client, "annotate_completions", item.uid, project).content.decode()
    )
    assert Assignment.objects.get(pk=item.pk).evidence_seen_at is not None


def test_where_labeling_is_not_blind_they_are_there_before(item, project, owner, annotator, client):
    projects.change_policy(by=owner, project=project, blind=False)
    client.force_login(annotator)
    assert ask(client, "annotate_completions", item.uid, project).status_code == 200
    assert Assignment.objects.get(pk=item.pk).evidence_seen_at is None


def test_an_exam_shows_none(item, project, annotator, client):
    Assignment.objects.filter(pk=item.pk).update(purpose="exam")
    client.force_login(annotator)
    submit(client, item)
    assert ask(client, "annotate_completions", item.uid, project).status_code == 404


def test_who_labels_the_solution_gets_none_by_its_page(solution, project, manager, client):
    factories.AssignmentFactory(solution=solution, user=manager, expires_at=solution.created_at)
    client.force_login(manager)
    assert ask(client, "completions", solution.uid, project).status_code == 404


def test_anothers_item_has_none(item, project, client):
    client.force_login(factories.MembershipFactory(project=project).user)
    assert ask(client, "annotate_completions", item.uid, project).status_code == 404


@pytest.mark.parametrize("step", ["", "-1", "7", "x", "99999999999", "²"])
def test_a_step_that_is_not_there_has_none(step, solution, project, viewer, client):
    client.force_login(viewer)
    address = reverse("completions", args=[project.uid, solution.uid])
    values = {"labeler": project.labelers.get(kind="mc").uid, "step": step}
    assert client.get(address, values).status_code == 404


def test_a_judge_has_none(solution, project, viewer, client):
    client.force_login(viewer)
    judge = project.labelers.get(kind="judge")
    assert ask(client, "completions", solution.uid, project, labeler=judge).status_code == 404
