"""annotator_client against a real server: lists, retries, uploads, waiting, downloads that go on.

The Python of docs/api.md is run as it stands there.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import httpx
import pytest
from celery import current_app
from django.conf import settings as configured

import annotator_client
from annotator_client import Annotator, ApiError, Failed
from labeling import dispatch
from labeling.models import GoldItem, JudgePrompt, Solution, Verdict
from labeling.services import snapshots
from tests import factories as f
from tests.api import Api

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = [
    {"problem": f"What is {n} + 1?", "answer": str(n + 1), "steps": [f"{n} + 1 = {n + 1}", "So."],
     "label": -1, "labelled_by": "Ada"}
    for n in range(30)
]  # fmt: skip


class Faults(httpx.BaseTransport):
    """The real network, but `plan` comes first: an exception, a status, or a number of bytes after
    which the connection is lost."""

    def __init__(self, plan=()):
        self.plan, self.sent, self._real = list(plan), [], httpx.HTTPTransport()

    def close(self):
        self._real.close()

    def handle_request(self, request):
        self.sent.append((request.method, request.url.path, dict(request.headers)))
        fault = self.plan.pop(0) if self.plan else None
        if isinstance(fault, httpx.Response):
            return fault
        answer = self._real.handle_request(request)
        if fault == "lost answer":
            answer.close()
            raise httpx.ReadError("lost")
        if isinstance(fault, int):
            return httpx.Response(
                answer.status_code, headers=answer.headers, stream=Cut(answer, fault)
            )
        return answer


class Cut(httpx.SyncByteStream):
    def __init__(self, answer, after):
        self.answer, self.after = answer, after

    def __iter__(self):
        yield b"".join(self.answer.stream)[: self.after]
        raise httpx.ReadError("cut")

    def close(self):
        self.answer.close()


@pytest.fixture
def served(live_server, settings, tmp_path, monkeypatch):
    """The server, with tasks carried out at once where a worker would be woken."""
    settings.VAR_DIR = tmp_path / "var"
    from workers import tasks  # noqa: F401 - registers them

    monkeypatch.setattr(
        dispatch, "_send", lambda task, args, queue, expires: current_app.tasks[task](*args)
    )
    monkeypatch.setattr(annotator_client.time, "sleep", lambda seconds: None)
    return live_server


@pytest.fixture
def project(owner):
    return f.ProjectFactory(name="Sums", created_by=owner)


@pytest.fixture
def connect(served, project, owner):
    token, made = Api(project).token(owner), []

    def client(*plan):
        made.append(Annotator(served.url, token, transport=Faults(plan), tries=4))
        return made[-1]

    yield client
    for one in made:
        one.__exit__()


@pytest.fixture
def sums(connect):
    return connect().project("Sums")


def test_rows_come_part_by_part(sums):
    done = sums.add_solutions(ROWS)
    assert [row["refused"] for row in done] == [None] * 30
    found = list(sums.rows("solutions", limit=7))
    assert len(found) == 30
    assert {row["uid"] for row in found} == {row["solution"] for row in done}
    assert len(list(sums.rows("problems", split="train"))) < 30
    with pytest.raises(KeyError):
        sums.client.project("Nowhere")


def test_more_rows_than_one_request_takes(sums, monkeypatch):
    monkeypatch.setattr(annotator_client, "AT_ONCE", 8)
    done = sums.add_solutions(ROWS)
    given = [{"solution": row["solution"], "first_error": 9 if n == 20 else -1}
             for n, row in enumerate(done)]  # fmt: skip
    (refused,) = sums.add_verdicts("judge", "mine", given, version=2)
    assert refused["index"] == 20
    assert Verdict.objects.filter(labeler__kind="judge").count() == 29


def test_a_request_whose_answer_is_lost_is_done_once(connect):
    client = connect()
    uid = client.project("Sums").uid
    client = connect("lost answer", httpx.Response(503), "lost answer")
    done = client.post(f"projects/{uid}/solutions", {"rows": ROWS[:2]})
    assert done["solutions"] == 2  # the answer of the time when they were new
    assert Solution.objects.count() == 2
    keys = {headers["idempotency-key"] for _, _, headers in client._http._transport.sent}
    assert len(keys) == 1
    assert len(client._http._transport.sent) == 4


def test_a_server_that_is_busy_is_asked_when_it_says(connect, monkeypatch):
    waits = []
    monkeypatch.setattr(annotator_client.time, "sleep", waits.append)
    busy = httpx.Response(429, headers={"Retry-After": "7"})
    assert connect(busy, httpx.Response(502)).get("me")["token"] == "t"
    assert waits == [7.0, 1.0]
    with pytest.raises(ApiError) as refused:
        connect(*[httpx.Response(503, json={"error": {"code": "x", "message": "y"}})] * 4).get("me")
    assert refused.value.status == 503


def test_a_refusal_says_what_is_wrong(sums):
    with pytest.raises(ApiError) as refused:
        list(sums.rows("solutions", colour="red"))
    assert (refused.value.status, refused.value.code) == (400, "invalid")
    assert "colour" in refused.value.fields


def test_a_file_is_imported(sums, tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    report = sums.upload(file, licence="MIT")
    assert (report["solutions"], report["refused"]) == (30, 0)


def test_a_snapshot_is_awaited_and_downloaded_where_it_broke_off(sums, connect, tmp_path):
    sums.add_solutions(ROWS)
    snapshot = sums.freeze("one", {"states": ["adjudicated"]})
    client = connect(None, None, 100, 50)
    project = client.project("Sums")
    folder = project.download(snapshot["uid"], tmp_path / "out")
    for file in client.get(project.path(f"snapshots/{snapshot['uid']}/files")):
        data = (folder / file["name"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == file["sha256"]
    ranges = [headers.get("range") for _, _, headers in client._http._transport.sent]
    assert ranges.count("bytes=100-") == 1
    before = len(client._http._transport.sent)
    project.download(snapshot["uid"], folder)  # everything is there
    assert len(client._http._transport.sent) == before + 1


def test_a_damaged_part_is_noticed(sums, tmp_path):
    sums.add_solutions(ROWS)
    snapshot = sums.freeze("one", {"states": ["adjudicated"]})
    (tmp_path / "train.jsonl.part").write_bytes(b"x" * 10)
    with pytest.raises(OSError, match="arrived damaged"):
        sums.download(snapshot["uid"], tmp_path)
    assert sums.download(snapshot["uid"], tmp_path) == tmp_path


def test_what_fails_is_not_waited_for(sums):
    with pytest.raises(Failed, match="no solution fits"):
        sums.freeze("empty", {"states": ["consensus"]})


def test_names_that_lead_out_of_the_folder_are_refused():
    for name in ("../x", "/x", "a/../x", "", "a//b", "C:x", "a\\b"):
        with pytest.raises(ValueError, match="no name of a file"):
            annotator_client._names(name)


def test_the_documented_lines_run(served, project, owner, tmp_path, monkeypatch):
    text = (Path(configured.BASE_DIR) / "docs" / "api.md").read_text()
    one, two, three, recipe = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    monkeypatch.setenv("ANNOTATOR_URL", served.url)
    monkeypatch.setenv("ANNOTATOR_TOKEN", Api(project).token(owner))
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    Path("rows.jsonl").write_text(json.dumps(ROWS[0]) + "\n")
    scope: dict = {}
    exec(one, scope)
    scope["project"].client.__exit__()
    dataset = scope["dataset"]
    assert len(dataset["train"]) + len(dataset["test"]) == 24
    assert {"prompt", "steps", "labels", "first_error"} <= set(dataset["train"].column_names)
    assert (Path("sums") / "train.jsonl").is_file()
    exec(two, scope)
    scope["client"].__exit__()
    assert scope["refused"] == []
    assert scope["report"]["solutions"] == 1
    exec(three, scope)
    scope["client"].__exit__()
    project.refresh_from_db()
    assert project.policy.exam_items == 1
    assert project.memberships.get(user__username="ada").role == "adjudicator"
    assert GoldItem.objects.get(project=project).explanation == "Every step holds."
    assert JudgePrompt.objects.get(project=project).text.endswith("Be strict.\n")
    exec(recipe, scope)
    assert not scope["is_ours"](
        "whsec_AAAA", {"webhook-id": "a", "webhook-timestamp": "1", "webhook-signature": "x"}, b""
    )
    assert snapshots.SPLITS == ("train", "test")


def test_ten_lines_are_ten_lines():
    text = (Path(configured.BASE_DIR) / "docs" / "api.md").read_text()
    (first, *_) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    statements = [line for line in first.splitlines() if line and not line.startswith(" ")]
    assert len(statements) <= 10
