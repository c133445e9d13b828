"""Dashboards follow a working run: only what differs changes; and they print."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling.services import rollups
from tests import factories as f
from tests.boards_world import build


@pytest.fixture
def working(project, transactional_db):
    _, judge, _ = build(project)
    return project, judge, f.RunFactory(labeler=judge, kind="judge", state="running")


def more(project, labelers):
    solution = f.SolutionFactory(problem__project=project, problem__source="gsm8k")
    for labeler in labelers:
        f.VerdictFactory(solution=solution, labeler=labeler, first_error=-1, step_labels=[1, 1, 1])
    rollups.fold_all()


def test_a_dashboard_follows_the_run_and_leaves_the_reader_alone(
    page: Page, working, owner, sign_in
):
    project, judge, run = working
    mc = project.labelers.get(kind="mc")
    sign_in(page, owner)
    polls = []
    page.on("response", lambda r: "/agreement/" in r.url and polls.append(r.status))
    page.goto(reverse("agreement_pair", args=[project.uid, mc.uid, judge.uid]))
    both = page.locator('a[href*="between=both_none"]')
    expect(both).to_have_text("6")
    both.focus()
    page.evaluate("window.kept = document.activeElement")
    page.wait_for_function("performance.getEntriesByType('resource').length > 3")
    more(project, [mc, judge])
    expect(both).to_have_text("7", timeout=15_000)
    assert page.evaluate("document.activeElement === window.kept")
    page.wait_for_timeout(4000)
    assert 204 in polls, "nothing new costs no page"
    type(run).objects.filter(pk=run.pk).update(state="done")
    expect(page.locator("[hx-get]")).to_have_count(0, timeout=15_000)


def test_folded_tables_are_printed(page: Page, working, owner, sign_in):
    project, _, _ = working
    sign_in(page, owner)
    page.emulate_media(media="print", color_scheme="dark")
    page.goto(reverse("history", args=[project.uid]))
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = false; })")
    expect(page.locator("details table").first).to_be_visible()
    expect(page.locator(".tabs")).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(29, 32, 36)"
