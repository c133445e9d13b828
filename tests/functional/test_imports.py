"""Importing a file in the browser: upload, a look at its rows, a dry run, the import."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling import dispatch
from labeling.models import Import, Solution
from tests.format_rows import NATIVE
from workers import tasks


@pytest.fixture(autouse=True)
def surroundings(settings, tmp_path, monkeypatch):
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr(dispatch, "ring", lambda *args, **options: None)


def test_a_file_goes_from_the_disk_into_the_project(
    page: Page, sign_in, project, owner, transactional_db, tmp_path
):
    owner.set_password("correct horse")
    owner.save()
    file = tmp_path / "my rows.jsonl"
    file.write_text(
        json.dumps(NATIVE) + "\n" + json.dumps({**NATIVE, "steps": []}) + "\n{", encoding="utf-8"
    )
    sign_in(page, owner)
    page.goto(reverse("data", args=[project.uid]))
    page.get_by_role("link", name="Imports").click()
    page.get_by_role("button", name="File").set_input_files(file)
    page.get_by_role("button", name="Upload and look").click()
    expect(page.get_by_role("heading", name="my_rows.jsonl")).to_be_visible()
    expect(page.get_by_text("Line 3: not valid JSON")).to_be_visible()
    page.get_by_label("Licence", exact=True).fill("MIT")
    page.get_by_role("button", name="Dry run").click()
    expect(page.get_by_text("Waits for a worker of queue")).to_be_visible()
    job = Import.objects.get()
    tasks.bring_in(job.uid)
    expect(page.get_by_text("Would be new")).to_be_visible()
    expect(page.get_by_text("2 refused")).to_be_visible()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("Waits for a worker of queue")).to_be_visible()
    tasks.bring_in(job.uid)
    page.reload()
    expect(page.locator(".badge").first).to_contain_text("done")
    assert Solution.objects.get().problem.licence == "MIT"
    page.goto(reverse("imports", args=[project.uid]))
