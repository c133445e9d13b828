"""Writes over the API: many rows at once, verdicts, decisions, items, and what may be repeated."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labeling.models import (
    Assignment,
    Decision,
    IdempotencyKey,
    Labeler,
    Membership,
    Problem,
    Solution,
    Verdict,
    Webhook,
)
from labeling.services import idempotency, rollups
from tests import factories as f
from tests.api import Api

pytestmark = pytest.mark.django_db

ROWS = [
    {"problem": "What is 1 + 1?", "answer": "2", "steps": ["1 + 1 = 2", "So 2."], "generator": "g"},
    {"problem": "What is 1 + 1?", "answer": "2", "steps": ["1 + 1 = 3", "So 3."], "label": 0,
     "labelled_by": "Ada"},
    {"problem": " ", "steps": ["x"]},
]  # fmt: skip


@pytest.fixture
def api(project):
    return Api(project)


@pytest.fixture
def solution(project):
    return f.SolutionFactory(problem__project=project)


def test_solutions_come_in_with_their_problems_and_labels(api, manager, project):
    done = api(manager, "post", "solutions", {"rows": ROWS}).json()
    assert [done[n] for n in ("problems", "solutions", "verdicts", "refused")] == [1, 2, 1, 1]
    one, other, refused = done["rows"]
    assert one["problem"] == other["problem"] == Problem.objects.get(project=project).uid
    assert Solution.objects.get(uid=other["solution"]).steps == ["1 + 1 = 3", "So 3."]
    assert refused == {"problem": None, "solution": None, "refused": refused["refused"]}
    assert "statement" in refused["refused"]
    assert Verdict.objects.get().labeler.name == "Ada"
    again = api(manager, "post", "solutions", {"rows": ROWS}).json()
    assert (again["rows"], again["solutions"], again["problems"]) == (done["rows"], 0, 0)


def test_problems_come_in_alone(api, manager):
    rows = [{"problem": "2 + 2?", "answer": "4", "problem_id": "p1"}, {"problem": "3 + 3?"}]
    done = api(manager, "post", "problems", {"rows": rows}).json()
    assert (done["problems"], done["refused"]) == (1, 1)
    assert Problem.objects.get(uid=done["rows"][0]["problem"]).external_id == "p1"


def verdicts(*given, kind="judge"):
    return {"labeler": {"kind": kind, "name": "mine"}, "verdicts": list(given)}


def test_verdicts_of_an_own_labeler_are_taken_once(api, manager, project, solution):
    body = verdicts({"solution": solution.uid, "first_error": 1, "critique": "no", "seconds": 2})
    done = api(manager, "post", "verdicts", body).json()
    assert (done["created"], done["known"], done["refused"]) == (1, 0, [])
    stored = Verdict.objects.get()
    assert (stored.first_error, stored.step_labels, stored.critique) == (1, [1, -1, None], "no")
    assert stored.labeler.uid == done["labeler"]
    again = api(manager, "post", "verdicts", body).json()
    assert (again["labeler"], again["created"], again["known"]) == (done["labeler"], 0, 1)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"first_error": 3}, "outside the 3 steps"),
        ({}, "either it or a reason"),
        ({"first_error": 0, "reason": "x"}, "either it or a reason"),
        ({"first_error": 0, "step_labels": [1, -1, 1]}, "the first wrong step is not"),
        ({"first_error": 0, "step_labels": [-1]}, "1 labels for 3 steps"),
        ({"first_error": 0, "step_scores": [0.5]}, "one value per step"),
        ({"first_error": 0, "mc_k": [3, 1, 1], "mc_n": [2, 2, 2]}, "at most as many"),
        ({"first_error": 0, "mc_k": [3, 1, 1]}, "at most as many"),
        ({"reason": "mute", "step_labels": [1, 1, 1]}, "has none"),
        ({"solution": "nowhere", "first_error": 0}, "no such solution"),
    ],
)
def test_a_verdict_that_contradicts_itself_is_refused_and_the_others_stored(
    given, words, api, manager, project, solution
):
    good = f.SolutionFactory(problem__project=project)
    body = verdicts({"solution": solution.uid, **given}, {"solution": good.uid, "reason": "mute"})
    done = api(manager, "post", "verdicts", body).json()
    assert done["created"] == 1
    assert [row["index"] for row in done["refused"]] == [0]
    assert words in done["refused"][0]["message"]
    assert Verdict.objects.get().state == "unscored"


def test_what_a_caller_says_of_its_labeler_is_not_read_as_settings_of_a_run(
    api, manager, project, solution
):
    counts = {"mc_k": [1, 1, 0], "mc_n": [2, 2, 2]}
    body = verdicts({"solution": solution.uid, "first_error": 2, **counts}, kind="mc")
    body["labeler"]["config"] = {"mode": "no mode of ours", "n": "many"}
    assert api(manager, "post", "verdicts", body).json()["created"] == 1
    rollups.fold_all()
    rows = api(manager, "get", f"labels.jsonl?labeler={Labeler.objects.get().uid}")
    assert rows.status_code == 200
    client = Client()
    client.force_login(manager)
    page = client.get(reverse("solution", args=[project.uid, solution.uid]))
    assert page.status_code == 200


def test_a_number_that_is_not_finite_is_refused(api, manager, project):
    body = '{"labeler": {"kind": "judge", "name": "m", "config": {"t": 1e999}}, "verdicts": []}'
    answer = Client().post(
        f"/api/projects/{project.uid}/verdicts",
        body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {api.token(manager)}"},
    )
    assert answer.status_code == 400
    assert "not finite" in answer.content.decode()


def test_a_submission_key_holds_for_one_solution(api, adjudicator, project, solution):
    other = f.SolutionFactory(problem__project=project)
    said = {"first_error": 1, "reason": "x", "key": str(uuid4())}
    for _ in range(2):
        answer = api(adjudicator, "post", "decisions", {"solution": solution.uid, **said})
        assert (answer.status_code, answer.json()["state"]) == (200, "adjudicated")
    refused = api(adjudicator, "post", "decisions", {"solution": other.uid, **said})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "key_reused")
    assert Verdict.objects.count() == 1


def test_a_solution_without_a_decision_is_adjudicated(api, adjudicator, solution):
    Decision.objects.filter(solution=solution).delete()
    answer = api(
        adjudicator,
        "post",
        "decisions",
        {"solution": solution.uid, "first_error": 1, "reason": "x"},
    )
    assert (answer.status_code, answer.json()["state"]) == (200, "adjudicated")


def test_an_adjudicator_decides_and_discards(api, adjudicator, solution):
    decided = api(
        adjudicator, "post", "decisions",
        {"solution": solution.uid, "first_error": 2, "reason": "sum"},
    )  # fmt: skip
    assert (decided.json()["state"], decided.json()["first_error"]) == ("adjudicated", 2)
    gone = api(adjudicator, "post", "decisions", {"solution": solution.uid, "discard": "bad_steps"})
    assert gone.json()["state"] == "discarded"
    both = {"solution": solution.uid, "discard": "bad_steps", "first_error": 1}
    assert api(adjudicator, "post", "decisions", both).status_code == 400


def test_an_item_is_taken_labeled_and_shown(api, annotator, project):
    verdict = f.VerdictFactory(solution__problem__project=project, critique="SECRET")
    verdict.solution.decision.state = "disputed"
    verdict.solution.decision.save()
    item = api(annotator, "post", "assignments")
    assert item.status_code == 200
    assert "SECRET" not in item.content.decode()
    assert item.json()["voices"] == []
    uid = item.json()["uid"]
    draft = {"labels": [1, -1, None], "notes": {"1": "why"}}
    saved = api(
        annotator, "put", f"assignments/{uid}",
        {"version": 0, "draft": draft, "active_seconds": 3},
    )  # fmt: skip
    assert saved.json() == {"version": 1}
    stale = {"version": 0, "draft": draft, "active_seconds": 3}
    assert api(annotator, "put", f"assignments/{uid}", stale).status_code == 409
    assert api(annotator, "get", f"assignments/{uid}/evidence").status_code == 404
    body = {"key": str(uuid4()), "draft": draft, "active_seconds": 5}
    for _ in range(2):
        done = api(annotator, "post", f"assignments/{uid}/submit", body).json()
        assert (done["state"], done["solution"], done["purpose"]) == ("submitted", None, None)
    shown = api(annotator, "get", f"assignments/{uid}/evidence").json()
    assert shown["own"]["first_error"] == 1
    assert [voice["critique"] for voice in shown["voices"] if voice["kind"] == "mc"] == ["SECRET"]
    assert api(annotator, "post", "assignments").status_code == 204


def test_nobody_takes_another_persons_item(api, annotator, project, owner):
    item = f.AssignmentFactory(solution__problem__project=project, user=owner)
    for method, path in (
        ("get", ""), ("put", ""), ("get", "/evidence"), ("post", "/submit"), ("post", "/skip"),
        ("post", "/reject"),
    ):  # fmt: skip
        body = {
            "version": 0, "key": str(uuid4()), "draft": {"labels": [1, 1, 1]},
            "active_seconds": 1, "code": "other", "words": "w",
        }  # fmt: skip
        given = None if method == "get" else body
        answer = api(annotator, method, f"assignments/{item.uid}{path}", given)
        assert answer.status_code == 404, (method, path)
    assert api(annotator, "get", f"assignments?person={owner.username}").status_code == 403
    (row,) = api(owner, "get", f"assignments?person={owner.username}").json()["results"]
    assert (row["solution"], row["purpose"]) == (item.solution.uid, "label")


def test_items_are_skipped_and_reported(api, annotator, project):
    for path, code, state in (("skip", "give_up", "skipped"), ("reject", "bad_steps", "submitted")):
        item = f.AssignmentFactory(solution__problem__project=project, user=annotator)
        done = api(annotator, "post", f"assignments/{item.uid}/{path}", {"code": code}).json()
        assert done["state"] == state
    assert not Assignment.objects.filter(submitted_at=None, skipped_at=None).exists()


def test_a_request_with_a_key_is_done_once(api, manager):
    first = api(manager, "post", "solutions", {"rows": ROWS}, Idempotency_Key="k-1")
    again = api(manager, "post", "solutions", {"rows": ROWS}, Idempotency_Key="k-1")
    assert again.json() == first.json()
    assert first.json()["solutions"] == 2  # the repetition did not count them as known
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    other = api(manager, "post", "solutions", {"rows": ROWS[:1]}, Idempotency_Key="k-1")
    assert (other.status_code, other.json()["error"]["code"]) == (409, "key_reused")
    elsewhere = api(manager, "post", "problems", {"rows": ROWS}, Idempotency_Key="k-1")
    assert elsewhere.status_code == 409


def test_keys_belong_to_their_caller_and_to_what_succeeded(api, manager, owner):
    bad = api(manager, "post", "solutions", {"rows": []}, Idempotency_Key="k")
    assert bad.status_code == 400
    assert not IdempotencyKey.objects.exists()
    good = api(manager, "post", "solutions", {"rows": ROWS}, Idempotency_Key="k")
    assert good.status_code == 200
    mine = api(owner, "post", "solutions", {"rows": ROWS[:1]}, Idempotency_Key="k")
    assert mine.json()["solutions"] == 0
    assert api(owner, "post", "solutions", {"rows": ROWS}, Idempotency_Key=" ?").status_code == 400


def test_a_webhooks_secret_is_told_again_and_kept_nowhere(api, manager, annotator):
    asked = {"url": "https://example.com/hook", "events": ["run.finished"]}
    first = api(manager, "post", "webhooks", asked, Idempotency_Key="k")
    again = api(manager, "post", "webhooks", asked, Idempotency_Key="k")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert first.json()["secret"].startswith("whsec_")
    kept = IdempotencyKey.objects.get()
    assert "secret" not in kept.answer
    assert first.json()["secret"] not in str(kept.answer)
    assert Webhook.objects.count() == 1
    Membership.objects.filter(user=manager).update(role="viewer")
    assert api(manager, "post", "webhooks", asked, Idempotency_Key="k").status_code == 403


def test_items_runs_and_models_move_once_by_their_key(api, manager, annotator, project):
    f.SolutionFactory(problem__project=project, decided=True)
    Decision.objects.update(state="disputed", priority=1, places=1)
    taken = api(annotator, "post", "assignments", {}, Idempotency_Key="a")
    assert api(annotator, "post", "assignments", {}, Idempotency_Key="a").json() == taken.json()
    path = f"assignments/{taken.json()['uid']}/skip"
    for _ in range(2):  # without a key the second would find no open item
        done = api(annotator, "post", path, {"code": "give_up"}, Idempotency_Key="b")
        assert (done.status_code, done.json()["state"]) == (200, "skipped")
    run = f.RunFactory(labeler__project=project)
    paused = api(manager, "post", f"runs/{run.uid}/pause", {}, Idempotency_Key="c")
    assert (paused.status_code, paused.json()["state"]) == (200, "paused")
    api(manager, "post", f"runs/{run.uid}/resume", {}, Idempotency_Key="d")
    again = api(manager, "post", f"runs/{run.uid}/pause", {}, Idempotency_Key="c")
    assert again.headers["Idempotent-Replayed"] == "true"
    run.refresh_from_db()
    assert run.state == "running"
    one, other = (f.PRMFactory(training_run__snapshot__project=project) for _ in range(2))
    for prm in (one, other):
        api(manager, "post", f"models/{prm.uid}/promote", {}, Idempotency_Key=prm.uid)
    api(manager, "post", f"models/{one.uid}/promote", {}, Idempotency_Key=one.uid)
    other.refresh_from_db()
    assert other.champion


def test_a_key_is_forgotten_after_a_day(api, manager):
    api(manager, "post", "solutions", {"rows": ROWS}, Idempotency_Key="k")
    later = timezone.now() + timedelta(hours=25)
    idempotency.forget(now=later)
    assert not IdempotencyKey.objects.exists()


@pytest.mark.parametrize(
    "body", [{"rows": "x"}, {}, {"rows": [{"steps": ["a"]}]}, {"rows": [{"problem": "a\0"}]}]
)
def test_a_body_of_another_shape_is_refused(body, api, manager):
    answer = api(manager, "post", "solutions", body)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


def test_json_that_no_column_could_hold_is_refused(api, manager, project):
    for text in ('{"a": 99999999999999999999}', '"x"', "[]", "{", '{"a": NaN}', "[" * 5000):
        answer = _raw(api, manager, text)
        assert answer.status_code == 400, text[:20]
    assert _raw(api, manager, "a=b", "application/x-www-form-urlencoded").status_code == 415


def _raw(api, user, text, kind="application/json"):
    from django.test import Client

    return Client().post(
        f"/api/projects/{api.project.uid}/solutions", text, content_type=kind,
        headers={"Authorization": f"Bearer {api.token(user)}"},
    )  # fmt: skip


# (method, path, body) → (a role that may not, the scope that it needs)
WRITES = {
    ("post", "problems", "{}"): ("adjudicator", "manage"),
    ("post", "solutions", "{}"): ("viewer", "manage"),
    ("post", "verdicts", "{}"): ("adjudicator", "manage"),
    ("post", "decisions", "{}"): ("annotator", "label"),
    ("post", "assignments", "{}"): ("viewer", "label"),
    ("put", "assignments/x", "{}"): ("viewer", "label"),
    ("post", "assignments/x/submit", "{}"): ("viewer", "label"),
    ("post", "assignments/x/skip", "{}"): ("viewer", "label"),
    ("post", "assignments/x/reject", "{}"): ("viewer", "label"),
    ("post", "runs", "{}"): ("viewer", "run"),
    ("post", "snapshots", "{}"): ("viewer", "manage"),
    ("post", "snapshots/x/formats", "{}"): ("viewer", "manage"),
    ("post", "models/x/promote", "{}"): ("viewer", "manage"),
    ("post", "trainings/x", "{}"): ("viewer", "run"),
    ("patch", "", "{}"): ("manager", "manage"),
}


@pytest.mark.parametrize("entry", WRITES, ids=lambda entry: f"{entry[0]} {entry[1]}")
def test_writes_are_for_members_with_the_right_and_tokens_with_the_scope(
    entry, api, project, owner, outsider
):
    method, path, _ = entry
    role, scope = WRITES[entry]
    assert api(outsider, method, path, {}).status_code == 404
    member = f.MembershipFactory(project=project, role=role).user
    refused = api(member, method, path, {})
    assert refused.status_code == 403
    assert "may not" in refused.json()["error"]["message"]
    others = tuple(s for s in ("read", "label", "run", "export", "manage") if s != scope)
    assert (
        api(owner, method, path, {}, scopes=others).json()["error"]["code"] == "permission_denied"
    )
    assert api(owner, method, path, {}, scopes=(scope,)).status_code != 403


def test_a_model_is_promoted(api, manager, project):
    prm = f.PRMFactory(training_run__snapshot__project=project)
    done = api(manager, "post", f"models/{prm.uid}/promote").json()
    assert (done["champion"], done["promoted_by"]) == (True, manager.username)


def test_formats_are_asked_for(api, manager, project):
    snapshot = f.SnapshotFactory(project=project)
    path = f"snapshots/{snapshot.uid}/formats"
    done = api(manager, "post", path, {"format": "prm800k"})
    assert (done.status_code, done.json()["formats"]) == (202, {"prm800k": {}})
    assert api(manager, "post", path, {"format": "docx"}).status_code == 400


def test_the_policy_is_changed_by_its_owner(api, owner):
    done = api(owner, "patch", "", {"changes": {"human_overlap": 3}, "based_on": 1})
    assert (done.json()["policy"]["human_overlap"], done.json()["policy_version"]) == (3, 2)
    wrong = [
        {"human_overlap": "x"}, {"human_overlap": 1.5}, {"no": 1}, {"consensus_kinds": 5},
        {"consensus_kinds": [{}]}, {"label_mode": []},
    ]  # fmt: skip
    for changes in wrong:
        assert api(owner, "patch", "", {"changes": changes}).status_code == 400, changes
    assert api(owner, "patch", "", {"changes": {}, "based_on": 1}).status_code == 409


def test_staff_make_projects_and_others_do_not(api, owner):
    body = {"name": "Fresh", "guidelines": "Be strict."}
    assert api(owner, "post", "/api/projects", body).status_code == 403
    owner.is_staff = True
    owner.save()
    made = api(owner, "post", "/api/projects", body)
    assert (made.status_code, made.json()["role"]) == (201, "owner")


def test_who_is_measured_by_a_policy_does_not_see_it(api, owner, annotator):
    (row,) = api(annotator, "get", "/api/projects").json()["results"]
    assert (row["policy"], row["role"]) == (None, "annotator")
    assert api(owner, "get", "").json()["policy"]["gold_share"] == 0
