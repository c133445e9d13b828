"""Files of snapshots: whole, in parts, by links that end; never anything else of the disk."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from labeling.domain.refusals import NotFound
from labeling.domain.releases import Rule
from labeling.models import ApiToken, Event, IdempotencyKey, Membership
from labeling.services import adjudications, links, snapshot_formats, snapshots, tokens
from tests import factories as f
from tests.api import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(project):
    return Api(project)


@pytest.fixture
def snapshot(project, owner, settings, tmp_path):
    settings.VAR_DIR = tmp_path
    (tmp_path / "secret.txt").write_text("secret")
    solution = f.SolutionFactory(problem__project=project)
    adjudications.submit(by=owner, solution=solution, key=uuid4(), first_error=1, reason="sum")
    return snapshots.freeze_now(
        by=owner, project=project, name="r", rule=Rule(), now=timezone.now()
    )


@pytest.fixture
def data(snapshot):
    return (snapshots.folder_of(snapshot) / "train.jsonl").read_bytes()


@pytest.fixture
def get(api, viewer, snapshot):
    def fetch(name="files/train.jsonl", **headers):
        return api(viewer, "get", f"snapshots/{snapshot.uid}/{name}", **headers)

    return fetch


def body(answer) -> bytes:
    return b"".join(answer.streaming_content)


def test_files_are_listed_with_their_hashes(get, data):
    found = {row["name"]: row for row in get("files").json()}
    assert {"train.jsonl", "test.jsonl", "README.md"} <= set(found)
    assert found["train.jsonl"]["size"] == len(data)
    assert found["train.jsonl"]["sha256"] == hashlib.sha256(data).hexdigest()


def test_large_files_are_not_read_for_their_hashes(get, snapshot, owner, monkeypatch):
    snapshot_formats.ask(by=owner, snapshot=snapshot, name="trl")
    snapshot_formats.write_missing(by=owner, snapshot=snapshot)
    folder, read, known = snapshots.folder_of(snapshot), Path.read_bytes, []
    expected = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }
    monkeypatch.setattr(Path, "read_bytes", lambda path: known.append(path.name) or read(path))
    assert {row["name"]: row["sha256"] for row in get("files").json()} == expected
    assert "formats/trl/train.jsonl" in expected
    assert set(known) == {"README.md", "SHA256SUMS"}


@pytest.mark.parametrize("name", ["files/train.jsonl", "download?split=train", "download"])
def test_a_file_comes_whole_and_need_not_come_again(name, get, data):
    answer = get(name)
    assert (answer.status_code, body(answer)) == (200, data)
    assert answer.headers["Content-Length"] == str(len(data))
    assert answer.headers["Content-Disposition"].startswith("attachment")
    again = get(name, If_None_Match=f'"other", {answer["ETag"]}')
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("asked", "start", "end"), [("0-9", 0, 10), ("10-", 10, None), ("-7", -7, None), ("3-3", 3, 4),
                                ("5-99999999", 5, None)],
)  # fmt: skip
def test_a_part_comes_alone(asked, start, end, get, data):
    answer = get(Range=f"bytes={asked}")
    part = data[start:end]
    assert (answer.status_code, body(answer)) == (206, part)
    first = start % len(data)
    assert answer["Content-Range"] == f"bytes {first}-{first + len(part) - 1}/{len(data)}"
    assert answer["Content-Length"] == str(len(part))


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=9-3", "bytes=-", "bytes=-0"])
def test_a_part_that_there_is_not_is_refused(asked, get, data):
    answer = get(Range=asked)
    assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{len(data)}")
    assert answer.json()["error"]["code"] == "no_such_part"


@pytest.mark.parametrize(
    "headers",
    [
        {"Range": "bytes=0-3,5-9"},
        {"Range": "rows=1-2"},
        {"Range": "bytes=0-3", "If_Range": '"old"'},
    ],
)
def test_what_cannot_be_one_part_of_this_file_comes_whole(headers, get, data):
    answer = get(**headers)
    assert (answer.status_code, body(answer)) == (200, data)


@pytest.mark.parametrize(
    "name",
    ["../secret.txt", "../../secret.txt", "..%2f..%2fsecret.txt", "/etc/passwd", "%2fetc%2fpasswd",
     ".", "./train.jsonl", "a/../train.jsonl", "nothing"],
)  # fmt: skip
def test_no_name_leads_out_of_the_folder(name, get, snapshot):
    (snapshots.folder_of(snapshot) / "link").symlink_to("../../secret.txt")
    assert get(f"files/{name}").status_code == 404
    assert get("files/link").status_code == 404
    assert "link" not in {row["name"] for row in get("files").json()}


def link_of(api, user, snapshot, **values):
    asked = {"file": "train.jsonl", **values}
    return api(user, "post", f"snapshots/{snapshot.uid}/links", asked)


def test_a_link_opens_one_file_without_a_token(api, viewer, snapshot, data):
    made = link_of(api, viewer, snapshot, seconds=60)
    assert made.status_code == 201
    url = made.json()["url"].removeprefix("http://testserver")
    answer = Client().get(url)
    assert (answer.status_code, body(answer)) == (200, data)
    assert made.json()["sha256"] == hashlib.sha256(data).hexdigest()
    assert Client().get(url, headers={"Range": "bytes=2-4"}).status_code == 206
    assert Client().get(url[:-1] + ("A" if url[-1] != "A" else "B")).status_code == 404
    assert Event.objects.filter(action="download link issued").get().actor == viewer


def test_a_link_is_told_again_and_kept_nowhere(api, viewer, snapshot, project):
    path, asked = f"snapshots/{snapshot.uid}/links", {"file": "train.jsonl"}
    first = api(viewer, "post", path, asked, Idempotency_Key="k")
    again = api(viewer, "post", path, asked, Idempotency_Key="k")
    assert again.json()["expires_at"] == first.json()["expires_at"]
    assert Client().get(again.json()["url"].removeprefix("http://testserver")).status_code == 200
    assert "url" not in IdempotencyKey.objects.get().answer
    assert Event.objects.filter(action="download link issued").count() == 1
    Membership.objects.filter(user=viewer, project=project).update(role="annotator")
    assert api(viewer, "post", path, asked, Idempotency_Key="k").status_code == 403


def test_a_link_ends_with_its_time_and_with_its_issuers_rights(api, viewer, snapshot, project):
    now = timezone.now()
    signed, ends = links.issue(
        by=viewer, snapshot=snapshot, file="train.jsonl", lasts=timedelta(seconds=5),
        now=now - timedelta(seconds=6),
    )  # fmt: skip
    assert ends < now
    assert Client().get(f"/api/links/{signed}").status_code == 404
    signed, _ = links.issue(
        by=viewer, snapshot=snapshot, file="train.jsonl", lasts=timedelta(days=99), now=now
    )
    assert Client().get(f"/api/links/{signed}").status_code == 200
    Membership.objects.filter(user=viewer, project=project).update(role="annotator")
    assert Client().get(f"/api/links/{signed}").status_code == 404


def test_a_link_ends_with_the_token_that_made_it(api, viewer, snapshot):
    path, asked = f"snapshots/{snapshot.uid}/links", {"file": "train.jsonl"}
    made = [api(viewer, "post", path, asked, Idempotency_Key="k").json() for _ in range(2)]
    urls = {one["url"].removeprefix("http://testserver") for one in made}
    token = ApiToken.objects.get()
    tokens.issue(by=viewer, name="other", scopes=["export"], days=1, now=timezone.now())
    assert {Client().get(url).status_code for url in urls} == {200}
    tokens.revoke(by=viewer, token=token, now=timezone.now())
    assert {Client().get(url).status_code for url in urls} == {404}


def test_a_link_lasts_no_longer_than_the_token_that_made_it(api, viewer, snapshot):
    made = link_of(api, viewer, snapshot, seconds=7 * 24 * 3600).json()
    expires = ApiToken.objects.get().expires_at  # a day from now (tests.api)
    assert parse_datetime(made["expires_at"]) == expires
    url = made["url"].removeprefix("http://testserver")
    later = {"signed": url.rpartition("/")[2], "now": expires}
    with pytest.raises(NotFound):
        links.opened(**later)
    assert links.opened(**later | {"now": expires - timedelta(seconds=2)}).file == "train.jsonl"


def test_a_link_that_a_page_made_needs_no_token(viewer, snapshot):
    asked = {"by": viewer, "snapshot": snapshot, "file": "train.jsonl", "lasts": timedelta(hours=1)}
    signed, _ = links.issue(**asked, now=timezone.now())
    assert links.opened(signed=signed, now=timezone.now()).snapshot == snapshot


def test_downloads_are_for_who_may_export(api, adjudicator, outsider, snapshot, owner):
    for method, path in (("get", "files"), ("get", "files/train.jsonl"), ("post", "links")):
        path, given = f"snapshots/{snapshot.uid}/{path}", {"file": "train.jsonl"}
        given = None if method == "get" else given
        assert api(outsider, method, path, given).status_code == 404
        assert api(adjudicator, method, path, given).status_code == 403
        assert api(owner, method, path, given, scopes=("read", "manage")).status_code == 403
    assert link_of(api, owner, snapshot, file="../secret.txt").status_code == 404
    assert link_of(api, owner, snapshot, seconds=10**9).status_code == 400


def test_a_snapshot_that_is_not_frozen_has_no_files(api, owner, project):
    waiting = f.SnapshotFactory(project=project)
    assert api(owner, "get", f"snapshots/{waiting.uid}/files").status_code == 404
