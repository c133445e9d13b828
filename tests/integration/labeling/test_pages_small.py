"""Home, health, tokens, data, guidelines, and the frame around them."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.urls import reverse

from labeling.models import ApiToken, Snapshot
from labeling.views import home
from tests import factories

pytestmark = pytest.mark.django_db


def test_home_leads_on_to_the_only_project(project, viewer, annotator, client):
    client.force_login(viewer)
    assert client.get("/").headers["Location"] == reverse("overview", args=[project.uid])
    client.force_login(annotator)
    assert client.get("/").headers["Location"] == reverse("annotate", args=[project.uid])


def test_home_lists_ones_own_projects_only(project, viewer, client):
    factories.MembershipFactory(user=viewer, project__name="Second campaign", role="viewer")
    factories.ProjectFactory(name="Someone else's")
    client.force_login(viewer)
    html = client.get("/").content.decode()
    assert project.name in html
    assert "Second campaign" in html
    assert "Someone else" not in html


def test_home_of_someone_without_a_project_says_what_to_do(outsider, client):
    client.force_login(outsider)
    assert b"You are in no project yet" in client.get("/").content


def test_the_navigation_offers_what_the_role_may_open(project, annotator, viewer, client):
    client.force_login(annotator)
    html = client.get(reverse("guidelines", args=[project.uid])).content.decode()
    assert reverse("annotate", args=[project.uid]) in html
    assert reverse("solutions", args=[project.uid]) not in html
    client.force_login(viewer)
    html = client.get(reverse("guidelines", args=[project.uid])).content.decode()
    assert reverse("annotate", args=[project.uid]) not in html
    assert reverse("solutions", args=[project.uid]) in html


def test_health_answers_without_the_database(client, django_db_blocker):
    with django_db_blocker.block():
        answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok")


def test_readiness_asks_the_real_database_and_redis(client):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"database": True, "redis": True})


def test_readiness_names_what_is_away(client, settings, monkeypatch):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"database": True, "redis": False})

    class Gone:
        def cursor(self):
            raise OperationalError("gone")

    monkeypatch.setattr(home, "connection", Gone())
    assert client.get("/readyz").json()["database"] is False


def test_a_token_is_shown_once_and_stored_as_a_hash(viewer, client):
    client.force_login(viewer)
    shown = client.post("/tokens/", {"name": "script", "scopes": ["read"], "days": 30})
    plain = shown.context["plain"]
    assert plain.encode() in shown.content
    assert plain.encode() not in client.get("/tokens/").content
    assert not ApiToken.objects.filter(token_hash__contains=plain).exists()


def test_a_token_form_with_mistakes_issues_nothing(viewer, client):
    client.force_login(viewer)
    answer = client.post("/tokens/", {"name": "", "days": 4000})
    assert answer.context["plain"] is None
    assert ApiToken.objects.count() == 0


def test_one_revokes_ones_own_tokens_only(viewer, outsider, client):
    token = factories.ApiTokenFactory(user=viewer)
    client.force_login(outsider)
    assert client.post(reverse("revoke_token", args=[token.prefix])).status_code == 404
    client.force_login(viewer)
    client.post(reverse("revoke_token", args=[token.prefix]))
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_a_manager_asks_for_a_snapshot_and_the_page_says_who_freezes_it(project, manager, client):
    client.force_login(manager)
    data = {"name": "first", "states": ["consensus"]}
    answer = client.post(reverse("request_snapshot", args=[project.uid]), data, follow=True)
    assert Snapshot.objects.get().rule["states"] == ["consensus"]
    assert b"a worker of queue export freezes it" in answer.content


def test_a_snapshot_form_without_a_name_is_shown_again(project, manager, client):
    client.force_login(manager)
    answer = client.post(reverse("request_snapshot", args=[project.uid]), {"states": ["x"]})
    assert answer.status_code == 400
    assert Snapshot.objects.count() == 0


def test_guidelines_are_rendered_without_html(project, annotator, client):
    factories.GuidelineFactory(project=project, text="# Rules\n\n<script>alert(1)</script> $x^2$")
    client.force_login(annotator)
    html = client.get(reverse("guidelines", args=[project.uid])).content.decode()
    assert "<h1>Rules</h1>" in html
    assert "<script>alert" not in html
    assert '<span class="math" data-display="false">x^2</span>' in html


def test_every_page_forbids_inline_scripts(project, viewer, client):
    client.force_login(viewer)
    answer = client.get(reverse("overview", args=[project.uid]))
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "unsafe-eval" not in answer.headers["Content-Security-Policy"]


def test_the_admin_shows_rows_and_changes_none(project, client):
    operator = factories.UserFactory(is_staff=True, is_superuser=True)
    solution = factories.SolutionFactory(problem__project=project)
    verdict = factories.VerdictFactory(solution=solution)
    client.force_login(operator)
    assert client.get("/admin/labeling/verdict/").status_code == 200
    change = f"/admin/labeling/verdict/{verdict.pk}/change/"
    assert client.post(change, {"first_error": 0}).status_code == 403
