"""The REST API: tokens, scopes, exports."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from labeling.domain.labels import LabelerKind, VerdictState
from labeling.domain.releases import Rule
from labeling.models import ApiToken, Snapshot
from labeling.services import adjudications, labelers, snapshots, tokens, verdicts
from tests import factories
from trainer.records import from_json


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.VAR_DIR = tmp_path


@pytest.fixture
def decided(project, owner):
    solution = factories.SolutionFactory(problem__project=project)
    adjudications.submit(by=owner, solution=solution, key=uuid4(), first_error=1, reason="sum")
    return solution


@pytest.fixture
def call(client):
    def get(user, path, scopes=("read", "export"), method="get", **extra):
        _, plain = tokens.issue(by=user, name="t", scopes=scopes, days=1, now=timezone.now())
        headers = {"Authorization": f"Bearer {plain}", **extra.pop("headers", {})}
        return getattr(client, method)(f"/api/{path}", headers=headers, **extra)

    return get


def body(response) -> bytes:
    return b"".join(response.streaming_content)


def test_labels_are_streamed_as_training_records(call, project, owner, decided):
    response = call(owner, f"projects/{project.uid}/labels.jsonl")
    assert response.status_code == 200
    (record,) = [from_json(line) for line in body(response).decode().splitlines()]
    assert (record.id, record.labels) == (decided.content_hash, (1, 0, None))
    assert record.sources["labels"] == "adjudicated"


def test_a_snapshot_downloads_with_an_etag(call, project, owner, decided):
    snapshot = snapshots.freeze_now(
        by=owner, project=project, name="r", rule=Rule(), now=timezone.now()
    )
    path = f"projects/{project.uid}/snapshots/{snapshot.uid}/download"
    response = call(owner, path)
    assert response.status_code == 200
    assert body(response) == (snapshots.folder_of(snapshot) / "train.jsonl").read_bytes()
    again = call(owner, path, headers={"If-None-Match": response["ETag"]})
    assert again.status_code == 304


def test_a_snapshot_is_asked_for_and_bad_rules_are_refused(call, project, owner, decided):
    path = f"projects/{project.uid}/snapshots"
    ask = {"content_type": "application/json", "scopes": ("manage",), "method": "post"}
    made = call(owner, path, data=json.dumps({"name": "n", "rule": {"limit": 5}}), **ask)
    assert made.status_code == 202
    assert Snapshot.objects.get(uid=made.json()["uid"]).frozen_at is None
    bad = call(owner, path, data=json.dumps({"name": "n", "rule": {"limit": 0}}), **ask)
    assert bad.status_code == 400
    assert bad.json()["error"] == {"code": "invalid", "message": "limit: at least 1, or null"}


@pytest.mark.parametrize(
    ("path", "scopes", "status"),
    [
        ("projects", ("read",), 200),
        ("projects/{uid}/runs", ("read",), 200),
        ("projects/{uid}/labels.jsonl", ("read",), 403),
        ("projects/{uid}/labels.jsonl", ("export",), 200),
        ("projects/{uid}/labels.jsonl?split=middle", ("export",), 400),
        ("projects/{uid}/snapshots/none/download", ("export",), 404),
        ("schema", ("read",), 200),
        ("me", ("read",), 200),
    ],
)
def test_an_address_wants_its_scope(call, project, owner, path, scopes, status):
    assert call(owner, path.format(uid=project.uid), scopes=scopes).status_code == status


def test_an_outsider_sees_no_project_and_an_annotator_exports_nothing(
    call, project, outsider, annotator
):
    for path in ("runs", "labels.jsonl", "snapshots"):
        assert call(outsider, f"projects/{project.uid}/{path}").status_code == 404
    assert call(annotator, f"projects/{project.uid}/labels.jsonl").status_code == 403
    assert call(outsider, "projects").json() == {"results": [], "next": None}


def test_a_token_that_is_unknown_expired_or_revoked_is_refused(client, call, project, owner):
    url = f"/api/projects/{project.uid}/runs"
    assert client.get(url).status_code == 401
    assert client.get(url, headers={"Authorization": "Bearer ann_no"}).status_code == 401
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    for change in (
        {"revoked_at": timezone.now()},
        {"created_at": long_ago, "expires_at": long_ago + timedelta(days=1)},
    ):
        token, plain = tokens.issue(by=owner, name="t", scopes=["read"], days=1, now=timezone.now())
        ApiToken.objects.filter(pk=token.pk).update(**change)
        answer = client.get(url, headers={"Authorization": f"Bearer {plain}"})
        assert answer.status_code == 401


def test_the_plain_token_is_not_stored(owner):
    token, plain = tokens.issue(by=owner, name="t", scopes=["read"], days=1, now=timezone.now())
    token.refresh_from_db()
    assert plain not in json.dumps({k: str(v) for k, v in vars(token).items()})
    assert token.expires_at - timezone.now() < timedelta(days=1)


def test_gold_and_machine_labels_never_leak_into_the_export_of_decisions(call, project, owner):
    solution = factories.SolutionFactory(problem__project=project)
    gold = labelers.register(
        by=owner, project=project, kind=LabelerKind.GOLD, name="key", config={}
    )
    new = [verdicts.NewVerdict(solution.pk, VerdictState.SCORED, 0)]
    verdicts.record(by=owner, labeler=gold, verdicts=new)
    assert body(call(owner, f"projects/{project.uid}/labels.jsonl")) == b""
