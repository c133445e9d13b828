"""The annotate page's answers: drafts, submission, blindness, refusals."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from labeling.domain.labels import LabelerKind, VerdictState
from labeling.models import Assignment, Decision, Verdict
from labeling.services import assignments, labelers, projects, verdicts
from tests import factories

pytestmark = pytest.mark.django_db

CRITIQUE = "Paragraph 1 is where it breaks."
ROLLOUT = "So the total is forty-two."


@pytest.fixture
def disputed(project, owner):
    """A solution that MC passes and the judge faults at step 2, with evidence."""
    solution = factories.SolutionFactory(
        problem__project=project,
        problem__answer="24",
        steps=["First, 4 + 4 = 8.", "Then 8 * 2 = 15.", "So the answer is 15."],
        generator="secret-model",
    )
    mc = labelers.register(by=owner, project=project, kind=LabelerKind.MC, name="mcx", config={})
    judge = labelers.register(
        by=owner, project=project, kind=LabelerKind.JUDGE, name="judgex", config={}
    )
    rollouts = [verdicts.NewRollout(0, 0, ROLLOUT, "42", False, "stop")]
    counts = {"mc_k": [5, 6, 7], "mc_n": [8, 8, 8]}
    verdicts.record(
        by=owner,
        labeler=mc,
        verdicts=[
            verdicts.NewVerdict(
                solution.pk, VerdictState.SCORED, -1, fields=counts, rollouts=rollouts
            )
        ],
    )
    verdicts.record(
        by=owner,
        labeler=judge,
        verdicts=[
            verdicts.NewVerdict(solution.pk, VerdictState.SCORED, 1, fields={"critique": CRITIQUE})
        ],
    )
    return solution


@pytest.fixture
def leased(disputed, project, annotator):
    return assignments.lease_next(by=annotator, project=project, now=timezone.now())


def url(name, item):
    return reverse(name, args=[item.project.uid, item.uid])


def send(client, address, **values):
    return client.post(address, json.dumps(values), content_type="application/json")


def draft(*labels, **more):
    return {"labels": list(labels), "notes": {}, "note": "", **more}


SECRETS = (CRITIQUE, ROLLOUT, "5 of 8", "secret-model", "mcx", "judgex", "no error", "disputed:")


def test_before_submitting_no_machine_label_reaches_the_browser(leased, annotator, client):
    client.force_login(annotator)
    html = client.get(reverse("annotate", args=[leased.project.uid])).content.decode()
    assert "Then 8 * 2 = 15." in html
    assert [secret for secret in SECRETS if secret in html] == []


def test_the_owner_labels_as_blind_as_everyone(disputed, project, owner, client):
    client.force_login(owner)
    html = client.get(reverse("annotate", args=[project.uid])).content.decode()
    assert [secret for secret in SECRETS if secret in html] == []
    detail = client.get(reverse("solution", args=[project.uid, disputed.uid])).content.decode()
    assert [s for s in (CRITIQUE, ROLLOUT, "5 of 8", "secret-model") if s in detail] == []
    assert "data-adjudicate" not in detail
    for query in ("", "?mc=none", "?judge=2", "?relation=only_second"):
        listing = client.get(reverse("solutions", args=[project.uid]) + query).content.decode()
        assert disputed.uid not in listing


def test_after_submitting_the_evidence_is_shown(leased, annotator, client):
    client.force_login(annotator)
    answer = send(
        client,
        url("annotate_submit", leased),
        key=str(uuid4()),
        draft=draft(1, -1, None),
        active_seconds=30,
    )
    html = client.get(answer.json()["evidence"]).content.decode()
    assert [s for s in (CRITIQUE, "<b>5 of 8</b>") if s not in html] == []
    assert "Adjudicate" not in html


def test_an_annotator_never_sees_other_peoples_labels(leased, annotator, owner, client):
    other = factories.UserFactory(username="zoe-the-other")
    projects.add_member(by=owner, project=leased.project, user=other, role="annotator")
    labeler = labelers.person(by=other, project=leased.project)
    factories.VerdictFactory(
        solution=leased.solution, labeler=labeler, comments={"steps": {"0": "zoe's remark"}}
    )
    client.force_login(annotator)
    send(
        client,
        url("annotate_submit", leased),
        key=str(uuid4()),
        draft=draft(1, 1, 1),
        active_seconds=1,
    )
    html = client.get(url("annotate_submitted", leased)).content.decode()
    assert CRITIQUE in html
    assert "zoe" not in html


def test_without_blindness_the_machines_speak_while_one_labels(leased, annotator, owner, client):
    projects.change_policy(by=owner, project=leased.project, blind=False)
    client.force_login(annotator)
    html = client.get(reverse("annotate", args=[leased.project.uid])).content.decode()
    assert CRITIQUE in html
    assert "<b>5 of 8</b>" in html


@pytest.mark.parametrize("shown", [True, False])
def test_the_reference_answer_is_shown_as_the_policy_says(leased, annotator, owner, client, shown):
    projects.change_policy(by=owner, project=leased.project, show_reference=shown)
    client.force_login(annotator)
    html = client.get(reverse("annotate", args=[leased.project.uid])).content.decode()
    assert ("Reference answer" in html) is shown


def test_evidence_of_an_item_that_is_not_submitted_is_not_found(leased, annotator, client):
    client.force_login(annotator)
    assert client.get(url("annotate_submitted", leased)).status_code == 404


def test_a_draft_is_kept_and_comes_back_on_reload(leased, annotator, client):
    client.force_login(annotator)
    kept = draft(1, 0, None, notes={"1": "odd"})
    answer = send(client, url("annotate_draft", leased), version=0, draft=kept, active_seconds=12.5)
    assert answer.json() == {"version": 1}
    page = client.get(reverse("annotate", args=[leased.project.uid]))
    item = page.context["item"]
    assert (item.draft, item.draft_version, item.active_seconds) == (kept, 1, 12.5)


def test_a_stale_draft_is_refused_and_the_newer_kept(leased, annotator, client):
    client.force_login(annotator)
    address = url("annotate_draft", leased)
    send(client, address, version=0, draft=draft(1, None, None), active_seconds=1)
    answer = send(client, address, version=0, draft=draft(-1, None, None), active_seconds=1)
    assert answer.status_code == 409
    assert answer.json() == {
        "code": "stale_draft",
        "words": "a newer draft of this item was saved elsewhere",
        "draft": draft(1, None, None),
        "version": 1,
    }
    leased.refresh_from_db()
    assert leased.draft["labels"] == [1, None, None]


def test_the_same_submission_twice_is_one_verdict(leased, annotator, client):
    client.force_login(annotator)
    values = {"key": str(uuid4()), "draft": draft(1, -1, None), "active_seconds": 40}
    first = send(client, url("annotate_submit", leased), **values)
    second = send(client, url("annotate_submit", leased), **values)
    assert (first.status_code, second.status_code) == (200, 200)
    verdict = Verdict.objects.get(labeler__user=annotator)
    assert (verdict.first_error, verdict.seconds) == (1, 40)


def test_an_incomplete_submission_says_what_is_missing(leased, annotator, client):
    client.force_login(annotator)
    answer = send(
        client,
        url("annotate_submit", leased),
        key=str(uuid4()),
        draft=draft(1, None, -1),
        active_seconds=1,
    )
    assert answer.status_code == 400
    assert b"label every step up to the first wrong one" in answer.content


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"[]",
        b'{"version": 0}',
        b'{"version": 0, "draft": 7, "active_seconds": 1}',
        b'{"version": -1, "draft": {}, "active_seconds": 1}',
        b'{"version": 0, "draft": {"labels": [5, null, null]}, "active_seconds": 1}',
        b'{"version": 0, "draft": {"labels": [1]}, "active_seconds": 1}',
        b'{"version": 0, "draft": {"labels": [1,1,1], "notes": {"9": "x"}}, "active_seconds": 1}',
    ],
)
def test_malformed_drafts_are_refused_in_words(leased, annotator, client, body):
    client.force_login(annotator)
    answer = client.post(url("annotate_draft", leased), body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"
    assert len(answer.json()["words"]) > 10


LABELS = {"draft": draft(1, 1, 1), "active_seconds": 1, "version": 0, "key": str(uuid4())}
POSTS = {
    "draft": LABELS, "submit": LABELS, "ahead": {}, "release": {}, "unskip": {},
    "skip": {"code": "known"}, "reject": {"code": "bad_steps"},
}  # fmt: skip


def post(client, address, values):
    return send(client, address, **values) if values is LABELS else client.post(address, values)


def test_someone_elses_item_is_not_found(leased, adjudicator, client):
    client.force_login(adjudicator)
    for name, values in POSTS.items():
        assert post(client, url(f"annotate_{name}", leased), values).status_code == 404
    for name in ("submitted", "edit"):
        assert client.get(url(f"annotate_{name}", leased)).status_code == 404


def test_an_item_is_not_reached_through_another_project(leased, annotator, client):
    elsewhere = factories.MembershipFactory(user=annotator).project
    client.force_login(annotator)
    for name, values in POSTS.items():
        address = reverse(f"annotate_{name}", args=[elsewhere.uid, leased.uid])
        assert post(client, address, values).status_code == 404


def test_skipping_needs_a_reason_and_hands_the_item_back(leased, annotator, client):
    client.force_login(annotator)
    refused = client.post(url("annotate_skip", leased), {})
    assert refused.status_code == 400
    assert client.post(url("annotate_skip", leased), {"code": "other"}).status_code == 400
    answer = client.post(url("annotate_skip", leased), {"code": "give_up", "words": "sorry"})
    assert answer.status_code == 302
    leased.refresh_from_db()
    assert (leased.skip_code, leased.skip_reason) == ("give_up", "sorry")
    assert b"Nothing waits for you" in client.get(answer.headers["Location"]).content


def test_reporting_an_item_rejects_it_with_the_reason(leased, annotator, client):
    client.force_login(annotator)
    client.post(url("annotate_reject", leased), {"code": "wrong_reference"})
    verdict = Verdict.objects.get(labeler__user=annotator)
    assert (verdict.state, verdict.reason_code) == ("rejected", "wrong_reference")
    assert verdict.reason == "the reference answer is wrong"


def test_the_page_leases_one_item_however_often_it_is_loaded(leased, annotator, client):
    client.force_login(annotator)
    for _ in range(3):
        client.get(reverse("annotate", args=[leased.project.uid]))
    assert Assignment.objects.filter(user=annotator).count() == 1


@pytest.fixture
def coming(leased, project):
    """Another disputed solution, which follows the leased one."""
    solution = factories.SolutionFactory(
        problem__project=project, problem__statement="What comes next?"
    )
    Decision.objects.filter(solution=solution).update(state="disputed")
    return solution


def test_the_next_item_is_fetched_as_a_fragment_of_the_page(leased, coming, annotator, client):
    client.force_login(annotator)
    answer = client.post(url("annotate_ahead", leased))
    html = answer.content.decode()
    assert (answer.status_code, "What comes next?" in html, "<html" in html) == (200, True, False)
    coming_item = Assignment.objects.get(solution=coming)
    assert url("annotate_submit", coming_item) in html


def test_the_fragment_is_as_blind_as_the_page(leased, coming, annotator, owner, client):
    judge = factories.LabelerFactory(project=leased.project, kind="judge", name="judgex")
    factories.VerdictFactory(solution=coming, labeler=judge, critique=CRITIQUE)
    client.force_login(annotator)
    html = client.post(url("annotate_ahead", leased)).content.decode()
    assert [secret for secret in SECRETS if secret in html] == []


def test_no_fragment_is_sent_where_nothing_is_left(leased, annotator, client):
    client.force_login(annotator)
    answer = client.post(url("annotate_ahead", leased))
    assert (answer.status_code, answer.content) == (204, b"")


def test_leaving_ends_the_lease(leased, annotator, client):
    client.force_login(annotator)
    assert client.post(url("annotate_release", leased)).status_code == 204
    leased.refresh_from_db()
    assert leased.expires_at <= timezone.now()


def test_a_skipped_item_is_taken_back(leased, annotator, client):
    client.force_login(annotator)
    client.post(url("annotate_skip", leased), {"code": "give_up"})
    answer = client.post(url("annotate_unskip", leased))
    assert answer.headers["Location"] == reverse("annotate", args=[leased.project.uid])
    leased.refresh_from_db()
    assert (leased.skipped_at, leased.skip_code) == (None, "")


def test_a_submitted_item_is_shown_again_and_corrected(leased, annotator, client):
    client.force_login(annotator)
    submit = url("annotate_submit", leased)
    values = {"draft": draft(1, -1, None), "active_seconds": 4}
    send(client, submit, key=str(uuid4()), **values)
    shown = client.get(url("annotate_edit", leased)).context["item"]
    assert (shown.draft, shown.editing) == (draft(1, -1, None), True)
    values = {"draft": draft(1, 1, 1), "active_seconds": 9, "version": shown.draft_version}
    assert send(client, submit, key=str(uuid4()), **values).status_code == 200
    assert Verdict.objects.get(labeler__user=annotator).first_error == -1
    stale = send(client, submit, key=str(uuid4()), **values)
    assert (stale.status_code, stale.json()["draft"]) == (409, draft(1, 1, 1))


def test_an_item_to_correct_is_shown_without_the_evidence(leased, annotator, client):
    client.force_login(annotator)
    values = {"draft": draft(1, -1, None), "active_seconds": 4}
    send(client, url("annotate_submit", leased), key=str(uuid4()), **values)
    html = client.get(url("annotate_edit", leased)).content.decode()
    assert [secret for secret in SECRETS if secret in html] == []


def test_who_opened_the_evidence_is_known_to_have_seen_it(leased, annotator, client):
    client.force_login(annotator)
    values = {"draft": draft(1, -1, None), "active_seconds": 4}
    send(client, url("annotate_submit", leased), key=str(uuid4()), **values)
    client.get(url("annotate_submitted", leased))
    leased.refresh_from_db()
    assert leased.evidence_seen_at is not None


def test_the_history_lists_the_last_submissions_and_skips(leased, coming, annotator, client):
    client.force_login(annotator)
    values = {"draft": draft(1, -1, None), "active_seconds": 4}
    send(client, url("annotate_submit", leased), key=str(uuid4()), **values)
    skipped = assignments.lease_next(by=annotator, project=leased.project, now=timezone.now())
    client.post(url("annotate_skip", skipped), {"code": "known"})
    items = client.get(reverse("annotate_history", args=[leased.project.uid])).json()["items"]
    assert [(one["uid"], one["state"], one["first_error"]) for one in items] == [
        (skipped.uid, "skipped", None),
        (leased.uid, "submitted", 1),
    ]
    assert items[0]["statement"] == "What comes next?"
