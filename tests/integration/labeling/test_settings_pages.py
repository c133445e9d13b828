"""The settings page: policy with a version check, members, invitations, new projects."""

from __future__ import annotations

import pytest
from django.urls import reverse

from labeling.domain.policy import Policy
from labeling.models import Decision, Event, Membership, Project, User
from labeling.selectors.members import catching_up
from labeling.services import decisions, projects
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def bells(monkeypatch) -> list[str]:
    heard: list[str] = []
    monkeypatch.setattr("labeling.dispatch.ring", lambda task, *args, **kwargs: heard.append(task))
    return heard


def posted(**changes):
    values = {**Policy().to_dict(), "based_on": 1, **changes}
    return {name: value for name, value in values.items() if value is not False}


def change(client, project, **changes):
    return client.post(reverse("change_policy", args=[project.uid]), posted(**changes))


def test_every_field_of_the_policy_is_on_the_page_with_an_explanation(project, owner, client):
    client.force_login(owner)
    answer = client.get(reverse("settings", args=[project.uid]))
    form = answer.context["form"]
    assert set(Policy().to_dict()) | {"based_on"} == set(form.fields)
    assert all(field.help_text for name, field in form.fields.items() if name != "based_on")


def test_what_the_page_shows_posts_the_same_policy(project, owner, client):
    client.force_login(owner)
    assert change(client, project).status_code == 302
    project.refresh_from_db()
    assert (project.policy, project.policy_version) == (Policy(), 2)


def test_a_policy_changed_meanwhile_is_not_overwritten(project, owner, client):
    client.force_login(owner)
    projects.change_policy(by=owner, project=project, blind=False)
    answer = change(client, project, lease_minutes=7)
    assert answer.status_code == 409
    assert "somebody changed the policy meanwhile" in answer.content.decode()
    assert 'value="7"' in answer.content.decode()  # what was written is kept
    project.refresh_from_db()
    assert not project.policy.blind


@pytest.mark.parametrize(
    ("name", "value"),
    [("human_overlap", 0), ("test_share", 0.95), ("consensus_kinds", []), ("label_mode", "x")],
)
def test_a_value_out_of_range_is_refused_beside_its_field(project, owner, client, name, value):
    client.force_login(owner)
    answer = change(client, project, **{name: value})
    assert answer.status_code == 400
    assert name in answer.context["form"].errors


def test_decisions_are_made_again_where_the_change_decides(project, owner, client, bells):
    factories.SolutionFactory(problem__project=project)
    client.force_login(owner)
    change(client, project, lease_minutes=7)
    assert bells == []
    change(client, project, human_overlap=2, based_on=2)
    assert bells == ["workers.decide"]
    project.refresh_from_db()
    assert (catching_up(project).done, catching_up(project).total) == (0, 1)
    fragment = client.get(
        reverse("settings", args=[project.uid]), headers={"HX-Request": "true"}
    ).content.decode()
    assert "0 of 1" in fragment
    assert decisions.catch_up(by=owner, project=project) == 1
    project.refresh_from_db()
    assert catching_up(project) is None
    assert Decision.objects.get().policy_version == 3
    assert decisions.catch_up(by=owner, project=project) == 0


def test_the_sweeper_rings_for_decisions_that_are_behind(project, owner, bells):
    factories.SolutionFactory(problem__project=project)
    projects.change_policy(by=owner, project=project, human_overlap=3)
    bells.clear()
    decisions.attend()
    assert bells == ["workers.decide"]
    project.refresh_from_db()
    decisions.catch_up(by=owner, project=project)
    bells.clear()
    decisions.attend()
    assert bells == []


def bring(client, project, username, role="annotator", **more):
    values = {"username": username, "role": role, **more}
    return client.post(reverse("add_member", args=[project.uid]), values)


def test_an_account_is_added_by_name(project, owner, outsider, client):
    client.force_login(owner)
    assert bring(client, project, outsider.username, "viewer").status_code == 302
    assert Membership.objects.get(user=outsider).role == "viewer"
    assert Event.objects.filter(action="member added", subject=outsider.username).exists()


@pytest.mark.parametrize("name", ["nobody", "olga-owner", "", "x" * 151])
def test_a_name_that_cannot_be_added_is_refused_in_words(project, owner, client, name):
    client.force_login(owner)
    answer = bring(client, project, name)
    assert answer.status_code == 400
    assert answer.context["member_form"].errors


def test_a_role_is_changed_and_a_member_removed_with_their_labels_kept(
    project, owner, annotator, client
):
    item = factories.AssignmentFactory(solution__problem__project=project, user=annotator)
    client.force_login(owner)
    args = [project.uid, annotator.pk]
    client.post(reverse("change_role", args=args), {"role": "adjudicator"})
    assert Membership.objects.get(user=annotator).role == "adjudicator"
    client.post(reverse("change_role", args=args), {"role": "emperor"})
    assert Membership.objects.get(user=annotator).role == "adjudicator"
    client.post(reverse("remove_member", args=args))
    assert not Membership.objects.filter(user=annotator).exists()
    item.refresh_from_db()


def test_the_last_owner_can_neither_go_nor_step_down(project, owner, client):
    client.force_login(owner)
    args = [project.uid, owner.pk]
    assert client.post(reverse("remove_member", args=args)).status_code == 409
    assert client.post(reverse("change_role", args=args), {"role": "viewer"}).status_code == 409
    factories.MembershipFactory(project=project, role="owner")
    answer = client.post(reverse("remove_member", args=args))
    assert answer.headers["Location"] == reverse("home")


def test_somebody_who_is_no_member_cannot_be_changed(project, owner, outsider, client):
    client.force_login(owner)
    for name in ("change_role", "remove_member"):
        answer = client.post(reverse(name, args=[project.uid, outsider.pk]), {"role": "owner"})
        assert answer.status_code == 404


def test_staff_makes_a_project_and_others_do_not(owner, client):
    client.force_login(owner)
    assert client.get(reverse("new_project")).status_code == 403
    assert client.post(reverse("new_project"), {"name": "mine"}).status_code == 403
    User.objects.filter(pk=owner.pk).update(is_staff=True)
    assert client.post(reverse("new_project"), {"name": " "}).status_code == 400
    answer = client.post(reverse("new_project"), {"name": "mine"})
    made = Project.objects.get(name="mine")
    assert answer.headers["Location"] == reverse("settings", args=[made.uid])
    assert client.post(reverse("new_project"), {"name": "mine"}).status_code == 400
