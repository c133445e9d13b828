"""A data lead's script: members, guidelines, gold, the exam, wordings, trainings over the API."""

from __future__ import annotations

import pytest
from django.utils import timezone

from labeling.domain.assignments import GoldUse
from labeling.domain.judging import judge_template
from labeling.domain.labels import VerdictState
from labeling.models import (
    ExamGrant,
    GoldItem,
    IdempotencyKey,
    Invitation,
    Membership,
    TrainingRun,
    User,
)
from labeling.services import exams, gold, projects
from tests import factories as f
from tests.answers import answered, solution_of
from tests.api import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(project):
    return Api(project)


def test_members_are_listed_added_changed_and_removed(api, project, owner, annotator):
    f.UserFactory(username="vera")
    made = api(owner, "post", "members", {"user": "vera", "role": "viewer"})
    assert (made.status_code, made.json()["role"]) == (201, "viewer")
    names = [row["user"] for row in api(owner, "get", "members").json()]
    assert names == ["anna-annotator", "olga-owner", "vera"]
    assert api(owner, "get", "members/vera").json()["invited_until"] is None
    changed = api(owner, "patch", "members/vera", {"role": "manager"})
    assert (changed.status_code, changed.json()["role"]) == (200, "manager")
    assert api(owner, "delete", "members/vera").status_code == 204
    assert not Membership.objects.filter(project=project, user__username="vera").exists()
    assert api(owner, "delete", "members/vera").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("post", "members", {"user": "nobody", "role": "viewer"}, 400, "invalid"),
        ("post", "members", {"user": "anna-annotator", "role": "viewer"}, 400, "invalid"),
        ("post", "members", {"user": "anna-annotator", "role": "service"}, 400, "invalid"),
        ("post", "members", {"role": "viewer"}, 400, "invalid"),
        ("patch", "members/olga-owner", {"role": "viewer"}, 409, "last_owner"),
        ("delete", "members/olga-owner", None, 409, "last_owner"),
        ("patch", "members/nobody", {"role": "viewer"}, 404, "not_found"),
        ("post", "invitations", {"user": "no such/name", "role": "viewer"}, 400, "invalid"),
        ("post", "invitations", {"user": "olga-owner", "role": "viewer"}, 400, "invalid"),
    ],
)
def test_memberships_that_cannot_be_are_refused(
    api, owner, annotator, method, path, body, status, code
):
    answer = api(owner, method, path, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_an_invitation_has_a_link_that_no_row_keeps(api, owner, client):
    asked = {"user": "newcomer", "role": "annotator"}
    made = api(owner, "post", "invitations", asked, Idempotency_Key="k")
    assert (made.status_code, made.json()["role"]) == (201, "annotator")
    token = made.json()["url"].rstrip("/").rpartition("/")[2]
    assert token not in str(IdempotencyKey.objects.get().answer)
    again = api(owner, "post", "invitations", asked, Idempotency_Key="k")
    assert again.headers["Idempotent-Replayed"] == "true"
    # The link is nowhere: a new one stands in the repeated answer, and the first has ended.
    assert again.json()["url"] != made.json()["url"]
    assert client.get(again.json()["url"]).status_code == 200
    assert client.get(made.json()["url"]).status_code != 200
    assert Invitation.objects.count() == 1
    assert User.objects.filter(username="newcomer").count() == 1


def test_guidelines_are_published_by_version(api, manager, annotator, viewer):
    first = api(manager, "post", "guidelines", {"text": "Be kind.", "based_on": 0})
    assert (first.status_code, first.json()["version"]) == (201, 1)
    unexplained = api(manager, "post", "guidelines", {"text": "Be strict.", "based_on": 1})
    assert unexplained.status_code == 400
    second = {"text": "Be strict.", "based_on": 1, "change": "Stricter.",
              "needs_acknowledgement": False}  # fmt: skip
    assert api(manager, "post", "guidelines", second).json()["version"] == 2
    late = api(manager, "post", "guidelines", {**second, "text": "Be quick."})
    assert (late.status_code, late.json()["error"]["code"]) == (409, "overtaken")
    for reader in (annotator, viewer):
        rows = api(reader, "get", "guidelines").json()
        assert [(row["version"], row["change"]) for row in rows] == [(2, "Stricter."), (1, "")]
        assert "text" not in rows[0]
        assert api(reader, "get", "guidelines/1").json()["text"] == "Be kind."
    assert api(manager, "get", "guidelines/3").status_code == 404
    assert api(manager, "get", f"guidelines/{10**30}").status_code == 404


def test_gold_items_are_made_changed_and_retired(api, project, manager, viewer):
    solution = solution_of(project, 0)
    asked = {"solution": solution.uid, "use": "hidden", "explanation": "Look at step 2."}
    assert api(manager, "post", "gold", asked).status_code == 400  # the key is missing
    made = api(manager, "post", "gold", {**asked, "first_error": 1})
    assert (made.status_code, made.json()["key"], made.json()["active"]) == (201, 1, True)
    twice = api(manager, "post", "gold", asked)
    assert (twice.status_code, twice.json()["error"]["code"]) == (409, "gold_already")
    changed = api(manager, "patch", f"gold/{solution.uid}", {"use": "exam"}).json()
    assert (changed["use"], changed["explanation"]) == ("exam", "Look at step 2.")
    retired = api(manager, "patch", f"gold/{solution.uid}", {"active": False}).json()
    assert (retired["use"], retired["active"]) == ("exam", False)
    assert api(manager, "patch", "gold/nothing", {"active": False}).status_code == 404
    outside = {**asked, "solution": solution_of(f.ProjectFactory(), 1).uid}
    assert api(manager, "post", "gold", outside).status_code == 404


def test_gold_items_are_sampled_by_seed(api, project, manager):
    person = f.LabelerFactory(project=project, kind="human", name="Ann")
    for number in range(5):
        f.VerdictFactory(
            solution=solution_of(project, number), labeler=person, state=VerdictState.SCORED,
            first_error=0,
        )  # fmt: skip
    asked = {"labeler": person.uid, "count": 3, "use": "exam", "seed": 7}
    assert api(manager, "post", "gold/sample", asked).json() == {"made": 3}
    assert GoldItem.objects.filter(project=project, use="exam").count() == 3
    assert api(manager, "post", "gold/sample", asked).json() == {"made": 2}
    machine = f.LabelerFactory(project=project, kind="mc")
    assert api(manager, "post", "gold/sample", {**asked, "labeler": machine.uid}).status_code == 400


@pytest.fixture
def exam(project, owner, manager):
    """An exam of two items, and two more for another attempt."""
    projects.change_policy(by=owner, project=project, exam_items=2, exam_pass_share=1.0)
    project.refresh_from_db()
    solutions = [solution_of(project, number) for number in range(4)]
    for solution in solutions:
        gold.add(by=manager, solution=solution, use=GoldUse.EXAM, explanation="", first_error=0)
    return solutions


def test_the_exam_is_granted_again_to_who_failed_it(api, exam, manager, annotator):
    assert api(manager, "get", "exam").json() == []
    path = f"exam/{annotator.username}/grant"
    early = api(manager, "post", path, {"reason": "A second chance."})
    assert (early.status_code, early.json()["error"]["code"]) == (409, "not_failed")
    for solution in exam[:2]:
        answered(annotator, solution, 1, purpose="exam")
    (row,) = api(manager, "get", "exam").json()
    assert (row["user"], row["answered"], row["right"], row["failed"]) == (
        "anna-annotator", 2, 0, True,
    )  # fmt: skip
    again = api(manager, "post", path, {"reason": "A second chance."})
    assert (again.status_code, again.json()["attempts"]) == (201, 2)
    assert ExamGrant.objects.get().reason == "A second chance."
    assert not exams.exams.standing(annotator, exam[0].project).over


def test_wordings_are_stored_by_version(api, manager, viewer):
    text = judge_template("paper-v1").text + "Be strict."
    asked = {"name": "strict", "text": text, "reply": "analyses"}
    made = api(manager, "post", "wordings", asked)
    assert (made.status_code, made.json()["name"]) == (201, "strict-v1")
    assert api(manager, "post", "wordings", asked).status_code == 200
    second = api(manager, "post", "wordings", {**asked, "text": text + " Very."})
    assert second.json()["name"] == "strict-v2"
    names = [row["name"] for row in api(viewer, "get", "wordings").json()]
    assert names == ["paper-v1", "processbench-v1", "check-v1", "strict-v2"]
    assert api(viewer, "get", "wordings/strict-v1").json()["text"] == text
    assert api(viewer, "get", "wordings/strict-v3").status_code == 404
    wrong = api(manager, "post", "wordings", {**asked, "text": "Judge {problem}!"})
    assert (wrong.status_code, wrong.json()["error"]["field"]) == (400, "text")
    taken = api(manager, "post", "wordings", {**asked, "name": "paper"})
    assert taken.json()["error"]["field"] == "name"


def frozen(**fields):
    return f.SnapshotFactory(frozen_at=timezone.now(), folder="a", content_hash="ab" * 32, **fields)


@pytest.fixture
def snapshot(project):
    return frozen(project=project)


def test_a_training_is_asked_for_once(api, manager, project, snapshot):
    asked = {"snapshot": snapshot.uid, "evaluation_set": snapshot.uid, "name": "first",
             "settings": {"iterations": 20, "lr": 1, "objective": "hard"}}  # fmt: skip
    made = api(manager, "post", "trainings", asked)
    assert (made.status_code, made.json()["state"]) == (201, "waiting")
    config = made.json()["config"]
    assert (config["backbone"], config["iterations"], config["lr"]) == ("scratch", 20, 1.0)
    again = api(manager, "post", "trainings", asked)
    assert (again.status_code, again.json()["uid"]) == (200, made.json()["uid"])


def test_a_training_takes_over_the_settings_of_the_champion_or_another(
    api, manager, project, snapshot
):
    config = {"backbone": "some/model", "lr": 0.5, "seed": 3, "challenge": True}
    champion = f.PRMFactory(
        training_run__snapshot=snapshot, training_run__project=project,
        training_run__config=config, champion=True, project=project,
        promoted_at=timezone.now(), promoted_by=manager,
    )  # fmt: skip
    asked = {"snapshot": snapshot.uid, "name": "second", "settings": {"seed": 4}}
    made = api(manager, "post", "trainings", asked).json()["config"]
    assert (made["backbone"], made["lr"], made["seed"]) == ("some/model", 0.5, 4)
    assert "challenge" not in made
    like = champion.training_run.uid
    named = api(manager, "post", "trainings", {**asked, "like": like, "settings": {}})
    assert (named.status_code, named.json()["config"]["seed"]) == (201, 3)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"backbone": "/etc"}, "backbone"),
        ({"lr": 0}, "lr"),
        ({"lr": "1"}, "lr"),
        ({"seed": 1.5}, "seed"),
        ({"iterations": True}, "iterations"),
        ({"objective": "best"}, "objective"),
        ({"precision": ["bf16"]}, "precision"),
        ({"x" * 500: 1}, "x" * 80),
    ],
)
def test_settings_of_a_training_are_checked(api, manager, snapshot, given, field):
    answer = api(
        manager, "post", "trainings",
        {"snapshot": snapshot.uid, "name": "t", "settings": given},
    )  # fmt: skip
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)
    assert not TrainingRun.objects.exists()


def test_a_training_needs_frozen_snapshots_of_the_project(api, manager, project, snapshot):
    waiting = f.SnapshotFactory(project=project, rule={"limit": 1})
    answer = api(manager, "post", "trainings", {"snapshot": waiting.uid, "name": "t"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_frozen")
    other = frozen()
    for body in ({"snapshot": other.uid}, {"snapshot": snapshot.uid, "evaluation_set": other.uid}):
        assert api(manager, "post", "trainings", {**body, "name": "t"}).status_code == 404


# (method, path): the weakest role that may, a member who may not, the scope
RIGHTS = {
    ("get", "members"): ("owner", "manager", "manage"),
    ("post", "members"): ("owner", "manager", "manage"),
    ("get", "members/olga-owner"): ("owner", "manager", "manage"),
    ("patch", "members/olga-owner"): ("owner", "manager", "manage"),
    ("delete", "members/olga-owner"): ("owner", "manager", "manage"),
    ("post", "invitations"): ("owner", "manager", "manage"),
    ("post", "guidelines"): ("manager", "adjudicator", "manage"),
    ("get", "gold"): ("manager", "adjudicator", "read"),
    ("post", "gold"): ("manager", "adjudicator", "manage"),
    ("post", "gold/sample"): ("manager", "adjudicator", "manage"),
    ("patch", "gold/x"): ("manager", "adjudicator", "manage"),
    ("get", "exam"): ("manager", "adjudicator", "read"),
    ("post", "exam/olga-owner/grant"): ("manager", "adjudicator", "manage"),
    ("get", "wordings"): ("viewer", "annotator", "read"),
    ("get", "wordings/paper-v1"): ("viewer", "annotator", "read"),
    ("post", "wordings"): ("manager", "viewer", "manage"),
    ("post", "trainings"): ("manager", "viewer", "run"),
}


@pytest.mark.parametrize("entry", RIGHTS, ids=lambda entry: f"{entry[0]} {entry[1]}")
def test_each_needs_a_role_and_a_scope(entry, api, project, outsider):
    method, path = entry
    may, may_not, scope = RIGHTS[entry]
    body = None if method in ("get", "delete") else {}
    allowed, refused = (
        f.MembershipFactory(project=project, role=role).user for role in (may, may_not)
    )
    assert api(outsider, method, path, body).status_code == 404
    assert "may not" in api(refused, method, path, body).json()["error"]["message"]
    others = tuple(s for s in ("read", "label", "run", "export", "manage") if s != scope)
    denied = api(allowed, method, path, body, scopes=others)
    assert denied.json()["error"]["code"] == "permission_denied"
    assert api(allowed, method, path, body, scopes=(scope,)).status_code not in (401, 403)


def test_guidelines_are_not_for_outsiders(api, outsider, owner):
    for path in ("guidelines", "guidelines/1"):
        assert api(outsider, "get", path).status_code == 404
        assert api(owner, "get", path, scopes=("manage",)).status_code == 403
