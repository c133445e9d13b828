"""Imports over the API: files go to disk, workers import them, hostile ones are refused."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from labeling import dispatch
from labeling.models import Import, Solution
from labeling.services import import_jobs, tokens
from labeling.services.importing import uploads
from labeling.services.tokens import Scope
from tests import factories
from tests.format_rows import NATIVE, TRL
from workers import tasks

pytestmark = pytest.mark.django_db
ALL = (Scope.READ, Scope.MANAGE)


@pytest.fixture(autouse=True)
def surroundings(settings, tmp_path, monkeypatch):
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr(dispatch, "ring", lambda *args, **options: None)


@pytest.fixture
def call(client, project, owner):
    def send(method="get", path="", scopes=ALL, user=owner, **extra):
        _, plain = tokens.issue(by=user, name="t", scopes=scopes, days=1, now=timezone.now())
        address = f"/api/projects/{project.uid}/imports{path}"
        return getattr(client, method)(
            address, headers={"Authorization": f"Bearer {plain}"}, **extra
        )

    return send


@pytest.fixture
def upload(call):
    def send(*rows, name="rows.jsonl", data=None, **fields):
        body = "\n".join(map(json.dumps, rows)).encode() if data is None else data
        return call("post", data={"file": SimpleUploadedFile(name, body), **fields})

    return send


def left_on_disk():
    return [path for path in uploads.folder().rglob("*") if path.is_file()]


def test_a_sent_file_is_imported_by_a_worker(upload, call):
    sent = upload(NATIVE)
    assert (sent.status_code, sent.json()["state"]) == (201, "waiting")
    uid = sent.json()["uid"]
    tasks.bring_in(uid)
    done = call(path=f"/{uid}").json()
    assert (done["state"], done["report"]["solutions"], done["report"]["share"]) == ("done", 1, 1.0)
    assert [row["uid"] for row in call().json()["results"]] == [uid]
    assert left_on_disk() == []


def test_a_file_can_be_looked_at_and_counted_before_it_is_imported(upload, call):
    uid = upload(TRL, {"prompt": ""}, start="false").json()["uid"]
    seen = call("post", f"/{uid}/preview", data={}, content_type="application/json").json()
    assert (seen["kind"], seen["format"]) == ("JSON Lines", "trl")
    assert "does not say who or what made the labels" in seen["needs"]
    assert seen["rows"][0]["solution"]["steps"] == TRL["completions"]
    assert seen["refused"] == [
        [2, "problem: this is no row of TRL stepwise; the row's fields: prompt"]
    ]
    asked = {"dry_run": True, "options": {"labeler_kind": "mc"}}
    path = f"/{uid}/start"
    assert call("post", path, data=asked, content_type="application/json").status_code == 202
    tasks.bring_in(uid)
    counted = call(path=f"/{uid}").json()
    assert (counted["state"], counted["report"]["machine_verdicts"]) == ("counted", 1)
    assert not Solution.objects.exists()


def test_options_come_with_the_file(upload):
    sent = upload(NATIVE, options=json.dumps({"licence": "MIT"}), dry_run="true")
    assert (sent.json()["options"]["licence"], sent.json()["dry_run"]) == ("MIT", True)


def test_an_upload_can_be_discarded_and_an_import_stopped(upload, call):
    uid = upload(NATIVE, start="false").json()["uid"]
    assert call("delete", f"/{uid}").status_code == 204
    assert call(path=f"/{uid}").status_code == 404
    uid = upload(NATIVE).json()["uid"]
    assert call("delete", f"/{uid}").status_code == 204
    assert call(path=f"/{uid}").json()["state"] == "cancelled"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"options": '{"wings": 2}'}, "wings is no option"),
        ({"options": '["a"]'}, "an object is expected"),
        ({"options": '{"licence": "a\\u0000"}'}, "licence"),
        ({"options": "{"}, "valid JSON"),
        ({"start": "perhaps"}, "valid boolean"),
    ],
)
def test_wrong_options_are_refused_and_the_file_is_not_kept(upload, fields, words):
    answer = upload(NATIVE, **fields)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not Import.objects.exists()
    assert left_on_disk() == []


def test_a_body_without_a_file_is_refused(call):
    assert call("post", data={"file": "text"}).status_code == 400
    answer = call("post", data=b"[]", content_type="application/json")
    assert answer.status_code == 415


def test_what_is_larger_than_allowed_is_refused_and_not_kept(upload, monkeypatch):
    monkeypatch.setattr(uploads, "LIMIT", 1000)
    answer = upload(data=b"x" * 5000)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    monkeypatch.setattr(uploads, "check_size", lambda size: None)  # a sender who lies
    answer = upload(data=b"x" * 200_000)
    assert answer.status_code == 413
    assert left_on_disk() == []


def test_a_hostile_file_name_stays_in_its_folder(upload):
    uid = upload(NATIVE, name="../../../x.jsonl", start="false").json()["uid"]
    (path,) = left_on_disk()
    assert path == Path(uploads.folder()) / uid / "x.jsonl"
    assert import_jobs.file_of(Import.objects.get()) == path


def test_a_hostile_file_fails_with_a_reason(upload, call, monkeypatch):
    from labeling.services.rowfiles import containers

    monkeypatch.setattr(containers, "RATIO_FREE", 10**6)
    uid = upload(data=gzip.compress(bytes(10**8))).json()["uid"]
    tasks.bring_in(uid)
    job = call(path=f"/{uid}").json()
    assert job["state"] == "failed"
    assert "unpacks to more than" in job["reason"]


@pytest.mark.parametrize(
    ("method", "path", "scopes", "status"),
    [
        ("get", "", (Scope.READ,), 200),
        ("get", "", (Scope.EXPORT,), 403),
        ("post", "", (Scope.READ,), 403),
        ("post", "/{}/start", (Scope.READ,), 403),
        ("post", "/{}/preview", (Scope.READ,), 403),
        ("delete", "/{}", (Scope.READ,), 403),
        ("get", "/{}", (Scope.READ,), 200),
        ("get", "/none", (Scope.READ,), 404),
        ("get", "/%00", (Scope.READ,), 404),
    ],
)
def test_scopes_and_addresses(call, project, method, path, scopes, status):
    job = factories.ImportFactory(project=project)
    assert call(method, path.format(job.uid), scopes).status_code == status


def test_a_viewer_may_look_and_not_write_and_an_outsider_sees_nothing(call, viewer, outsider):
    assert call(user=viewer).status_code == 200
    assert call("post", user=viewer).status_code == 403
    assert call(user=outsider).status_code == 404


def test_anothers_import_is_not_found(call):
    job = factories.ImportFactory()
    assert call(path=f"/{job.uid}").status_code == 404
