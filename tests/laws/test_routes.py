"""Every route of the pages says who may pass: here, and in what it answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from labeling import urls as pages
from labeling.services import labelers
from tests import factories

PUBLIC = {"login", "healthz", "readyz", "set_language", "words", "welcome"}
"""Open to everyone."""

OWN = {
    "home", "logout", "tokens", "revoke_token", "password", "new_project", "preferences",
}  # fmt: skip
"""A signed-in user's own things: no project is involved."""

# route → (method, role that may not pass although a member)
SCOPED = {
    "overview": ("get", "annotator"),
    "annotate": ("get", "viewer"),
    "annotate_submitted": ("get", "viewer"),
    "annotate_draft": ("post", "viewer"),
    "annotate_submit": ("post", "viewer"),
    "annotate_skip": ("post", "viewer"),
    "annotate_reject": ("post", "viewer"),
    "annotate_ahead": ("post", "viewer"),
    "annotate_edit": ("get", "viewer"),
    "annotate_history": ("get", "viewer"),
    "annotate_release": ("post", "viewer"),
    "annotate_unskip": ("post", "viewer"),
    "annotate_completions": ("get", "viewer"),
    "solutions": ("get", "annotator"),
    "solution": ("get", "annotator"),
    "completions": ("get", "annotator"),
    "adjudicate": ("post", "viewer"),
    "adjudication": ("get", "viewer"),
    "adjudication_next": ("get", "viewer"),
    "reopen": ("post", "viewer"),
    "correct_answer": ("post", "viewer"),
    "correction": ("get", "annotator"),
    "move_correction": ("post", "viewer"),
    "hold": ("post", "viewer"),
    "agreement": ("get", "annotator"),
    "agreement_pair": ("get", "annotator"),
    "agreement_people": ("get", "adjudicator"),
    "diagnostics": ("get", "annotator"),
    "history": ("get", "annotator"),
    "audit": ("get", "annotator"),
    "add_gold": ("post", "adjudicator"),
    "quality": ("get", "adjudicator"),
    "quality_mine": ("get", "viewer"),
    "quality_person": ("get", "adjudicator"),
    "gold": ("get", "adjudicator"),
    "sample_gold": ("post", "adjudicator"),
    "change_gold": ("post", "adjudicator"),
    "exam_people": ("get", "adjudicator"),
    "grant_exam": ("post", "adjudicator"),
    "exam": ("get", "viewer"),
    "runs": ("get", "annotator"),
    "run": ("get", "annotator"),
    "new_run": ("get", "viewer"),
    "start_run": ("post", "viewer"),
    "engines": ("get", "viewer"),
    "costs": ("get", "annotator"),
    "move_run": ("post", "viewer"),
    "judges": ("get", "annotator"),
    "judge": ("get", "annotator"),
    "preview_judge": ("post", "annotator"),
    "save_judge": ("post", "viewer"),
    "try_judge": ("post", "viewer"),
    "judge_trial": ("get", "annotator"),
    "data": ("get", "annotator"),
    "model": ("get", "annotator"),
    "request_snapshot": ("post", "adjudicator"),
    "new_snapshot": ("get", "adjudicator"),
    "snapshot": ("get", "annotator"),
    "move_snapshot": ("post", "adjudicator"),
    "guidelines": ("get", None),
    "guidelines_version": ("get", None),
    "edit_guidelines": ("get", "adjudicator"),
    "preview_guidelines": ("post", "adjudicator"),
    "publish_guidelines": ("post", "adjudicator"),
    "acknowledge_guidelines": ("post", "viewer"),
    "guidelines_questions": ("get", "adjudicator"),
    "webhooks": ("get", "viewer"),
    "add_webhook": ("post", "viewer"),
    "webhook": ("get", "viewer"),
    "move_webhook": ("post", "viewer"),
    "send_again": ("post", "viewer"),
    "imports": ("get", "annotator"),
    "settings": ("get", "manager"),
    "change_policy": ("post", "manager"),
    "add_member": ("post", "manager"),
    "change_role": ("post", "manager"),
    "remove_member": ("post", "manager"),
    "upload_import": ("post", "viewer"),
    "import": ("get", "annotator"),
    "start_import": ("post", "viewer"),
    "end_import": ("post", "viewer"),
}


def routes(patterns) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield pattern.name
        elif isinstance(pattern, URLResolver) and str(pattern.pattern) != "api/":
            yield from routes(pattern.url_patterns)


@pytest.fixture
def addresses(project):
    solution = factories.SolutionFactory(problem__project=project)
    item = factories.AssignmentFactory(solution=solution)
    run = factories.RunFactory(labeler__project=project)
    uids = {
        "item": item.uid,
        "solution": solution.uid,
        "run": run.uid,
        "move": "pause",
        "number": factories.GuidelineFactory(project=project).version,
        "correction": factories.AnswerCorrectionFactory(problem=solution.problem).uid,
        "one": run.labeler.uid,
        "other": run.labeler.uid,
        "name": "paper-v1",
        "job": factories.ImportFactory(project=project).uid,
        "labeler": labelers.person(by=project.created_by, project=project).uid,
        "hook": (delivery := factories.DeliveryFactory(webhook__project=project)).webhook.uid,
        "delivery": delivery.uid,
        "snapshot": factories.SnapshotFactory(project=project).uid,
        "prm": factories.PRMFactory(training_run__project=project).uid,
        "trial": factories.JudgeTrialFactory(project=project).uid,
    }
    found = {}
    for name in SCOPED:
        wanted = get_resolver().reverse_dict.getlist(name)[0][0][0][1]
        found[name] = reverse(name, kwargs={"uid": project.uid, **pick(uids, wanted)})
    return found


def pick(values, wanted):
    return {name: values[name] for name in wanted if name in values}


def test_every_route_is_on_a_list():
    assert set(routes(pages.urlpatterns)) == PUBLIC | OWN | set(SCOPED)


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(SCOPED))
def test_the_anonymous_are_sent_to_sign_in(name, addresses, client):
    answer = getattr(client, SCOPED[name][0])(addresses[name])
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(reverse("login"))


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(SCOPED))
def test_an_outsider_finds_nothing(name, addresses, outsider, client):
    client.force_login(outsider)
    assert getattr(client, SCOPED[name][0])(addresses[name]).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(name for name, entry in SCOPED.items() if entry[1]))
def test_a_member_without_the_right_is_refused(name, addresses, project, client):
    method, role = SCOPED[name]
    client.force_login(factories.MembershipFactory(project=project, role=role).user)
    answer = getattr(client, method)(addresses[name])
    assert answer.status_code == 403
    assert f"the role {role} may not" in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(SCOPED))
def test_the_wrong_method_is_refused(name, addresses, owner, client):
    client.force_login(owner)
    other = "post" if SCOPED[name][0] == "get" else "get"
    assert getattr(client, other)(addresses[name]).status_code == 405


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(OWN))
def test_ones_own_pages_need_a_sign_in(name, client):
    address = reverse(name, args=["ann_000000"] if name == "revoke_token" else [])
    method = client.post if name in {"logout", "revoke_token", "preferences"} else client.get
    answer = method(address)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(reverse("login"))
