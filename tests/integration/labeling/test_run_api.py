"""Runs over the API: every route's permissions, scopes, refusals by field, idempotence."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse
from django.utils import timezone

from labeling.models import Run
from labeling.services import tokens
from tests import factories

pytestmark = pytest.mark.django_db

MODEL = "factory/model-7b"
SETTINGS = {"n": 4, "template": "plain-v1"}


@pytest.fixture
def engine():
    return factories.EngineFactory(name="gpu", model=MODEL, prompt_price=1, completion_price=2)


@pytest.fixture
def solved(project):
    return factories.SolutionFactory(problem__project=project)


@pytest.fixture
def run(project, engine):
    labeler = factories.LabelerFactory(project=project)
    return factories.RunFactory(labeler=labeler, engine=engine)


@pytest.fixture
def call(client, project):
    """Call a route of the project by name; a body makes it a post."""

    def ask(user, name, *more, body=None, post=False, scopes=("read", "run")):
        _, plain = tokens.issue(by=user, name="t", scopes=scopes, days=1, now=timezone.now())
        address = reverse(name, args=[project.uid, *more])
        headers = {"Authorization": f"Bearer {plain}"}
        if body is None and not post:
            return client.get(address, headers=headers)
        data = body if isinstance(body, str) else json.dumps(body or {})
        return client.post(address, data, content_type="application/json", headers=headers)

    return ask


ASKED = {"kind": "mc", "engine": "gpu", "settings": SETTINGS}

# route → (posts, its role that may not although a member, the scope it needs)
ROUTES = {
    "api-engines": (False, "annotator", "read"),
    "api-runs": (False, "annotator", "read"),
    "api-run": (False, "annotator", "read"),
    "api-run-estimate": (True, "viewer", "read"),
    "api-run-retry": (True, "viewer", "run"),
    "api-run-move": (True, "viewer", "run"),
}


def more_of(name, run):
    return {
        "api-run": [run.uid],
        "api-run-retry": [run.uid],
        "api-run-move": [run.uid, "pause"],
    }.get(name, [])


@pytest.mark.parametrize("name", sorted(ROUTES))
def test_every_route_is_for_members_with_the_right_and_tokens_with_the_scope(
    name, call, client, run, solved, owner, outsider, project
):
    posts, refused_role, scope = ROUTES[name]
    more, body = more_of(name, run), ASKED if name == "api-run-estimate" else None
    address = reverse(name, args=[project.uid, *more])
    assert (client.post(address) if posts else client.get(address)).status_code == 401
    assert call(outsider, name, *more, post=posts, body=body).status_code == 404
    member = factories.MembershipFactory(project=project, role=refused_role).user
    assert call(member, name, *more, post=posts, body=body).status_code == 403
    other = ("run",) if scope == "read" else ("read", "export")
    assert call(owner, name, *more, post=posts, body=body, scopes=other).status_code == 403
    assert call(owner, name, *more, post=posts, body=body, scopes=(scope,)).status_code == 200


def test_starting_needs_the_right_and_the_scope(call, engine, solved, owner, viewer, outsider):
    assert call(outsider, "api-runs", body=ASKED).status_code == 404
    assert call(viewer, "api-runs", body=ASKED).status_code == 403
    assert call(owner, "api-runs", body=ASKED, scopes=("read",)).status_code == 403
    assert not Run.objects.exists()


def test_a_run_is_started_once(call, engine, solved, owner, viewer):
    first = call(owner, "api-runs", body=ASKED)
    assert first.status_code == 201
    made = first.json()
    assert (made["kind"], made["engine"], made["state"]) == ("mc", "gpu", "running")
    assert made["config"]["n"] == 4
    again = call(owner, "api-runs", body=ASKED)
    assert (again.status_code, again.json()["uid"]) == (200, made["uid"])
    other = call(owner, "api-runs", body={**ASKED, "settings": {**SETTINGS, "n": 5}})
    assert other.status_code == 201
    assert [row["uid"] for row in call(viewer, "api-runs").json()["results"]] == [
        other.json()["uid"], made["uid"],
    ]  # fmt: skip


def test_the_same_run_is_one_also_where_the_weights_are_taken_over(call, engine, solved, owner):
    Run.objects.all().delete()
    config = {"model": MODEL, "weights": "ab12"}
    factories.RunFactory(
        labeler__project=solved.project, engine=engine, config=config, state="done"
    )
    assert call(owner, "api-runs", body=ASKED).json()["config"]["weights"] == "ab12"
    assert call(owner, "api-runs", body=ASKED).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**ASKED, "settings": {"n": 0}}, "n"),
        ({**ASKED, "settings": {"n": "8"}}, "n"),
        ({**ASKED, "settings": {"m": 8}}, "settings"),
        ({**ASKED, "settings": {"temperature": 0}}, "temperature"),
        ({**ASKED, "settings": {"mode": "consensus"}}, "judge"),
        ({**ASKED, "settings": {"mode": "consensus", "judge": "x", "audit_share": 0}}, "judge"),
        ({**ASKED, "settings": {"model": "another"}}, "model"),
        ({**ASKED, "engine": "nowhere"}, "engine"),
        ({"kind": "mc", "settings": {"model": MODEL}}, "engine"),
        ({"kind": "judge", "engine": "gpu", "settings": {"template": "own-v9"}}, "template"),
        ({"kind": "score", "settings": {"prm": "none"}}, "prm"),
        ({"kind": "score", "engine": "gpu", "settings": {"format": "trl"}}, "engine"),
    ],
)
def test_a_refused_setting_is_named(call, engine, solved, owner, body, field):
    answer = call(owner, "api-runs", body=body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["code"], error["field"]) == ("bad_setting", field)
    assert error["message"].startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("body", "field"), [({"engine": "gpu"}, "kind"), ({"kind": "mc", "settings": []}, "settings")]
)
def test_a_body_of_another_shape_is_refused_by_its_field(call, engine, solved, owner, body, field):
    answer = call(owner, "api-runs", body=body)
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, [field])
    assert call(owner, "api-runs", body="{").status_code == 400


def test_nothing_to_work_on_is_a_conflict_in_words(call, engine, owner):
    answer = call(owner, "api-runs", body=ASKED)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "nothing_to_do")


def test_an_estimate_starts_nothing_and_gives_ranges_with_assumptions(call, engine, solved, owner):
    found = call(owner, "api-run-estimate", body=ASKED).json()
    assert not Run.objects.exists()
    assert found["items"] == 1
    low, high = found["completions"]
    # four completions after two of three steps, at most
    assert 0 < low < high < 8 == found["exhaustive"]
    assert 0 < found["money"][0] <= found["money"][1]
    assert (found["seconds"], found["currency"]) == (None, "USD")
    assert any("simulated" in said for said in found["assumptions"])


def test_a_run_tells_its_numbers_and_failures(call, run, project, viewer):
    factories.VerdictFactory(
        solution__problem__project=project, labeler=run.labeler, state="unscored",
        first_error=None, reason="no verdict", prompt_tokens=2_000_000,
    )  # fmt: skip
    found = call(viewer, "api-run", run.uid).json()
    assert found["progress"] == {
        "done": 1, "total": 1, "unscored": 1, "refuted": 0, "unusable": 0,
    }  # fmt: skip
    assert (found["cost"]["money"], found["cost"]["currency"]) == (2.0, "USD")
    (failure,) = found["failures"]
    assert (failure["reason"], failure["count"], len(failure["examples"])) == ("no verdict", 1, 1)
    assert call(viewer, "api-run", "none").status_code == 404


def test_a_failed_run_says_what_is_the_matter(call, run, viewer):
    Run.objects.update(state="failed", reason="the model does not fit")
    found = call(viewer, "api-run", run.uid).json()
    assert found["attention"]["trouble"] == "failed"
    assert "the model does not fit" in found["attention"]["text"]


def test_a_run_is_paused_resumed_and_cancelled(call, run, owner):
    for move, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        assert call(owner, "api-run-move", run.uid, move, post=True).json()["state"] == state
    wrong = call(owner, "api-run-move", run.uid, "pause", post=True)
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (409, "wrong_state")
    unknown = call(owner, "api-run-move", run.uid, "dance", post=True)
    assert (unknown.status_code, unknown.json()["error"]["field"]) == (400, "move")


def test_failures_are_retried_all_or_by_reason(call, run, project, owner):
    for reason in ("a", "a", "b"):
        factories.VerdictFactory(
            solution__problem__project=project, labeler=run.labeler, state="unscored",
            first_error=None, reason=reason,
        )  # fmt: skip
    one = call(owner, "api-run-retry", run.uid, body={"reason": "a"}).json()
    assert one["progress"]["unscored"] == 1
    assert call(owner, "api-run-retry", run.uid, body={}).json()["progress"]["unscored"] == 0


def test_another_projects_run_is_not_found(call, owner):
    stranger = factories.RunFactory()
    assert call(owner, "api-run", stranger.uid).status_code == 404
    assert call(owner, "api-run-move", stranger.uid, "cancel", post=True).status_code == 404
    assert call(owner, "api-run-retry", stranger.uid, post=True).status_code == 404
    stranger.refresh_from_db()
    assert stranger.state == "running"


@pytest.mark.parametrize("template", ["a-v99999999999999999999", "-v1"])
def test_a_wording_of_hostile_name_is_unknown(call, engine, solved, owner, template):
    body = {"kind": "judge", "engine": "gpu", "settings": {"template": template}}
    answer = call(owner, "api-runs", body=body)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "template")


@pytest.mark.parametrize("text", ["\0-v1", "\ud800-v1"])
def test_a_text_that_cannot_be_stored_is_refused_anywhere(call, engine, solved, owner, text):
    answer = call(owner, "api-runs", body={**ASKED, "settings": {"template": text}})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "parse_error")


@pytest.mark.parametrize("uid", ["%00", "%ED%A0%80", "x" * 400, "%F0%9F%92%A5"])
def test_a_hostile_address_is_not_found(client, owner, project, uid):
    client.force_login(owner)
    for address in (
        f"/api/projects/{project.uid}/runs/{uid}",
        f"/api/projects/{uid}/runs",
        f"/p/{project.uid}/runs/{uid}/",
        f"/p/{uid}/runs/",
        f"/p/{project.uid}/runs/new?like={uid}",
    ):
        assert client.get(address).status_code == 404, address


def test_an_engines_options_are_for_managers(call, engine, manager, viewer):
    (seen,) = call(viewer, "api-engines").json()
    assert (seen["name"], seen["model"], seen["prompt_price"]) == ("gpu", MODEL, "1.0000")
    assert "options" not in seen
    (managed,) = call(manager, "api-engines").json()
    assert managed["options"] == engine.options


def test_the_schema_knows_the_routes_of_runs_without_a_warning(client, owner, capsys):
    client.force_login(owner)
    answer = client.get("/api/schema", headers={"Accept": "application/json"})
    paths = json.loads(answer.content)["paths"]
    for tail in (
        "runs",
        "runs/estimate",
        "runs/{run}",
        "runs/{run}/retry",
        "runs/{run}/{move}",
        "engines",
    ):
        assert f"/api/projects/{{uid}}/{tail}" in paths
    said = capsys.readouterr().err
    assert not [line for line in said.splitlines() if "run" in line.lower() or "engine" in line]
