"""The operator's pages: every model, searchable, without a query per row, acting by services."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from labeling.admin.base import Bounded
from labeling.models import BoardCount, Event, Run, Solution
from tests import factories as f

pytestmark = pytest.mark.django_db

INTERNAL = {
    "BoardCount", "Counted", "Stale", "VerdictTally", "ProjectTally", "DayTally", "JudgeTrial",
    "Sampling", "AdjudicationLease", "IdempotencyKey", "Invitation", "SignInFailure",
    "Webhook", "Delivery",
}  # fmt: skip
"""What the program keeps for itself, and what pages of their own show better."""

SHOWN = sorted(
    model.__name__ for model in admin.site._registry if model._meta.app_label == "labeling"
)


@pytest.fixture
def operator(client):
    client.force_login(f.UserFactory(is_staff=True, is_superuser=True))
    return client


def address(model, page="changelist", *rest):
    return reverse(f"admin:labeling_{model.lower()}_{page}", args=rest)


def factory_of(model):
    return next(
        made for made in vars(f).values()
        if getattr(getattr(made, "_meta", None), "model", None) is apps.get_model("labeling", model)
    )  # fmt: skip


def test_every_model_is_shown_or_internal():
    known = {model.__name__ for model in apps.get_app_config("labeling").get_models()}
    assert known - INTERNAL <= set(SHOWN)
    assert known >= INTERNAL


@pytest.mark.parametrize("model", SHOWN)
def test_a_list_takes_as_many_queries_for_six_rows_as_for_two(model, operator):
    factory = factory_of(model)
    taken = []
    for size in (2, 4):
        for _ in range(size):
            factory()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert operator.get(address(model)).status_code == 200
        # the filter by project lists the projects in one query, whatever their number
        taken.append(len(queries))
    assert taken[0] == taken[1]


@pytest.mark.parametrize("model", SHOWN)
def test_rows_can_be_searched_and_read_but_not_changed(model, operator):
    row = factory_of(model)()
    assert operator.get(address(model), {"q": "nothing like it"}).status_code == 200
    page = address(model, "change", row.pk)
    assert operator.get(page).status_code == 200
    if model not in {"User", "Engine"}:
        assert operator.post(page, {}).status_code == 403
        assert operator.get(address(model, "add")).status_code == 403


def test_a_token_hash_is_not_shown(operator):
    token = f.ApiTokenFactory()
    page = operator.get(address("ApiToken", "change", token.pk)).content.decode()
    assert token.prefix in page
    assert token.token_hash not in page


def act(client, model, action, *rows):
    return client.post(
        address(model),
        {"action": action, "_selected_action": [row.pk for row in rows]},
        follow=True,
    )


def test_runs_are_paused_by_the_service_which_leaves_an_event(operator):
    running, done = f.RunFactory(), f.RunFactory(state="done")
    page = act(operator, "Run", "pause", running, done).content.decode()
    assert Run.objects.get(pk=running.pk).state == "paused"
    assert Run.objects.get(pk=done.pk).state == "done"
    assert "1 row done" in page
    assert 'class="error"' in page
    assert Event.objects.filter(subject=running.uid, action="run paused").count() == 1
    act(operator, "Run", "resume", running)
    assert Run.objects.get(pk=running.pk).state == "running"
    act(operator, "Run", "cancel", running)
    assert Run.objects.get(pk=running.pk).state == "cancelled"


def test_tokens_are_revoked(operator):
    token = f.ApiTokenFactory()
    act(operator, "ApiToken", "revoke", token)
    token.refresh_from_db()
    assert token.revoked_at


def test_decisions_are_recomputed_and_counts_thrown_away(operator):
    solution = f.SolutionFactory()
    f.BoardCountFactory(project=solution.project)
    act(operator, "Project", "recompute", solution.project)
    assert Event.objects.filter(action="decisions recomputed").count() == 1
    act(operator, "Project", "recount", solution.project)
    assert not BoardCount.objects.exists()


def test_staff_who_are_no_superusers_act_on_nothing(client):
    from django.contrib.auth.models import Permission

    staff = f.UserFactory(is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="view_run"))
    client.force_login(staff)
    run = f.RunFactory()
    assert client.get(address("Run")).status_code == 200
    act(client, "Run", "cancel", run)
    assert Run.objects.get(pk=run.pk).state == "running"


def test_a_list_counts_no_further_than_it_pages(monkeypatch):
    monkeypatch.setattr("labeling.admin.base.COUNTED", 2)
    for _ in range(3):
        f.SolutionFactory()
    assert Bounded(Solution.objects.order_by("-pk"), 1).num_pages == 2
