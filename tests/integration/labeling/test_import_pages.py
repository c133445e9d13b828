"""The import pages: upload, look, count, import, watch."""

from __future__ import annotations

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labeling import dispatch
from labeling.models import Import, Problem, Solution
from labeling.services import import_jobs
from labeling.services.importing import uploads
from tests import factories
from tests.format_rows import NATIVE, TRL
from workers import tasks

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def surroundings(settings, tmp_path, monkeypatch):
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr(dispatch, "ring", lambda *args, **options: None)


@pytest.fixture
def browser(client, owner):
    client.force_login(owner)
    return client


@pytest.fixture
def address(project):
    return lambda name, *args: reverse(name, args=[project.uid, *args])


@pytest.fixture
def upload(browser, address):
    def send(*rows, name="rows.jsonl", data=None):
        body = "\n".join(map(json.dumps, rows)).encode() if data is None else data
        answer = browser.post(address("upload_import"), {"file": SimpleUploadedFile(name, body)})
        assert answer.status_code == 302
        return Import.objects.latest("pk")

    return send


def text_of(answer, status=200):
    assert answer.status_code == status
    return answer.content.decode()


def test_a_file_is_shown_as_it_is_read_before_anything_is_written(upload, browser, address):
    job = upload({**NATIVE, "source": "a book"}, {**NATIVE, "steps": []})
    page = text_of(browser.get(address("import", job.uid)))
    assert "<strong>JSON Lines</strong>, <strong>Native</strong>" in page
    assert "2 + 2?" in page
    assert "a book" in page
    assert "Line 2: steps: a list with at least one step is expected" in page
    assert not Problem.objects.exists()


def test_a_dry_run_and_then_the_import(upload, browser, address):
    job = upload(NATIVE)
    answer = browser.post(address("start_import", job.uid), {"do": "count", "labels": "on"})
    assert answer.headers["Location"] == address("import", job.uid)
    assert "Waits for a worker" in text_of(browser.get(address("import", job.uid)))
    tasks.bring_in(job.uid)
    counted = text_of(browser.get(address("import", job.uid)))
    assert "Would be new" in counted
    assert "1 problems, 1 solutions, 1 verdicts by people" in counted
    browser.post(address("start_import", job.uid), {"do": "import", "labels": "on"})
    tasks.bring_in(job.uid)
    done = text_of(browser.get(address("import", job.uid)))
    assert "<form" not in done.partition('id="import-body"')[2]
    assert Solution.objects.count() == 1
    assert "rows.jsonl" in text_of(browser.get(address("imports")))


def test_progress_survives_a_reload_and_stops_asking_when_done(upload, browser, address):
    job = upload(NATIVE)
    import_jobs.start(by=job.created_by, job=job, options={}, dry_run=False)
    claimed = import_jobs.claim(uid=job.uid, now=timezone.now())
    Import.objects.filter(pk=job.pk).update(report={"rows": 5, "share": 0.25, "errors": []})
    for _ in range(2):
        page = text_of(browser.get(address("import", job.uid)))
        assert 'value="0.25"' in page
        assert "25 %" in page
    live = text_of(browser.get(address("import", job.uid), headers={"HX-Request": "true"}))
    assert 'hx-trigger="every 1s"' in live
    assert "<html" not in live
    import_jobs.carry_out(by=job.created_by, job=claimed)
    over = text_of(browser.get(address("import", job.uid), headers={"HX-Request": "true"}))
    assert "hx-trigger" not in over


def test_labels_of_unknown_origin_are_asked_about(upload, browser, address):
    job = upload(TRL)
    page = text_of(browser.get(address("import", job.uid)))
    assert "does not say who or what made the labels" in page
    chosen = {"format": "", "labels": "on", "labeler_kind": "mc", "labeler_name": "8 rollouts"}
    page = text_of(browser.get(address("import", job.uid), chosen))
    assert "does not say" not in page
    assert not Import.objects.exclude(options={}).exists()
    browser.post(address("start_import", job.uid), {**chosen, "do": "import"})
    tasks.bring_in(job.uid)
    job.refresh_from_db()
    assert (job.state, job.report["machine_verdicts"]) == ("done", 1)


def test_the_columns_of_a_csv_are_mapped_in_the_form(upload, browser, address):
    job = upload(data=b"text,key\nHalve 8.,4\n", name="a.csv")
    page = text_of(browser.get(address("import", job.uid)))
    assert "say which column is the problem" in page
    mapped = {"format": "", "labels": "on", "column_problem": "text", "column_answer": "key"}
    assert "Halve 8." in text_of(browser.get(address("import", job.uid), mapped))
    browser.post(address("start_import", job.uid), {**mapped, "do": "import"})
    tasks.bring_in(job.uid)
    assert Problem.objects.get().answer == "4"


def test_a_form_with_errors_comes_back_with_its_words(upload, browser, address):
    job = upload(NATIVE)
    wrong = {"format": "paper", "do": "import"}
    page = text_of(browser.post(address("start_import", job.uid), wrong), 400)
    assert "Select a valid choice" in page
    pattern = {"split": "pattern", "pattern": "(", "do": "import"}
    page = text_of(browser.post(address("start_import", job.uid), pattern), 400)
    assert "not a regular expression" in page
    job.refresh_from_db()
    assert job.state == "uploaded"


def test_a_failed_import_says_why_and_can_be_tried_otherwise(upload, browser, address):
    job = upload(data=b'{"q": "2?", "a": "2"}')
    import_jobs.start(by=job.created_by, job=job, options={}, dry_run=False)
    tasks.bring_in(job.uid)
    page = text_of(browser.get(address("import", job.uid)))
    assert "no known format has these fields: q, a" in page
    assert "Dry run" in page


def test_a_file_of_nothing_readable_is_shown_with_the_reason(upload, browser, address):
    job = upload(data=b"")
    assert "the file is empty" in text_of(browser.get(address("import", job.uid)))


def test_an_upload_is_discarded_and_an_import_stopped(upload, browser, address):
    job = upload(NATIVE)
    import_jobs.start(by=job.created_by, job=job, options={}, dry_run=False)
    assert browser.post(address("end_import", job.uid)).headers["Location"] == address(
        "import", job.uid
    )
    job.refresh_from_db()
    assert job.state == "cancelled"
    browser.post(address("end_import", job.uid))
    assert not Import.objects.exists()


def test_an_upload_needs_the_token_of_the_form_and_leaves_nothing_without(owner, address):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner)
    file = SimpleUploadedFile("rows.jsonl", json.dumps(NATIVE).encode())
    assert strict.post(address("upload_import"), {"file": file}).status_code == 403
    assert not Import.objects.exists()
    assert not [path for path in uploads.folder().rglob("*") if path.is_file()]


def test_without_the_right_nothing_reaches_the_disk(browser, address, viewer, monkeypatch):
    def refuse(*args):
        raise AssertionError("the body was read")

    monkeypatch.setattr(uploads.ToDisk, "new_file", refuse)
    browser.force_login(viewer)
    file = SimpleUploadedFile("rows.jsonl", b"x" * 100)
    assert browser.post(address("upload_import"), {"file": file}).status_code == 403
    browser.logout()
    file = SimpleUploadedFile("rows.jsonl", b"x" * 100)
    assert browser.post(address("upload_import"), {"file": file}).status_code == 302


def test_a_file_that_is_too_large_is_refused_in_words(browser, address, monkeypatch):
    monkeypatch.setattr(uploads, "LIMIT", 10)
    file = SimpleUploadedFile("rows.jsonl", b"x" * 100)
    page = text_of(browser.post(address("upload_import"), {"file": file}), 413)
    assert "manage.py import" in page


def test_no_file_is_an_error_of_the_form(browser, address):
    assert "This field is required" in text_of(browser.post(address("upload_import")), 400)


def test_what_a_file_holds_is_text_on_the_page(upload, browser, address):
    job = upload({**NATIVE, "problem": "<script>alert(1)</script>", "source": "<b>"})
    page = text_of(browser.get(address("import", job.uid)))
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_a_viewer_sees_imports_but_no_form(browser, address, viewer, project):
    job = factories.ImportFactory(project=project)
    browser.force_login(viewer)
    assert "multipart/form-data" not in text_of(browser.get(address("imports")))
    assert (
        "<form" not in text_of(browser.get(address("import", job.uid))).partition("import-body")[2]
    )


def test_a_file_that_no_setting_makes_readable_offers_none(upload, browser, address):
    job = upload(data=b"\xd0\xcf\x11\xe0 an old workbook")
    page = browser.get(address("import", job.uid)).content.decode()
    assert "save it as CSV" in page
    assert "upload another one" in page
    assert 'name="do"' not in page
    assert address("end_import", job.uid) in page


def test_the_columns_come_first_and_as_far_as_they_are_guessed(upload, browser, address):
    job = upload(data=b"Frage,key,text\n1 + 1?,2,So 3.\n")
    page = browser.get(address("import", job.uid)).content.decode()
    assert "say which column is the problem; the file has Frage, key, text" in page
    assert page.index("column_problem") < page.index('name="split"')
    job = upload(data=b'{"gold": "2", "x": 1}\n{"gold": "3", "x": 2}\n')
    page = browser.get(address("import", job.uid)).content.decode()
    assert '<option value="gold" selected>' in page
