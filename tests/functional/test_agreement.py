"""The dashboards of label quality in a real browser: looks, and from a count to its solutions."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests import factories as f
from tests.boards_world import build
from tests.functional.looks import audits, in_every_look


@pytest.fixture
def addresses(project, transactional_db):
    mc, judge, _ = build(project)
    run = f.RunFactory(labeler=mc, state="done")
    f.DayTallyFactory(project=project, run=run, labeler=mc, items=3, completion_tokens=900)
    uid = [project.uid]
    return {
        "matrix": reverse("agreement", args=uid),
        "pair": reverse("agreement_pair", args=[*uid, mc.uid, judge.uid]),
        "labels": reverse("diagnostics", args=uid),
        "audit": reverse("audit", args=uid),
        "history": reverse("history", args=uid),
        "annotators": reverse("agreement_people", args=uid),
        "costs": reverse("costs", args=uid),
        "behind": f"{reverse('solutions', args=uid)}?one={mc.uid}&one_says=none&other=annotators",
    }


@in_every_look
def test_dashboards_are_accessible_and_fit(page: Page, addresses, owner, sign_in):
    sign_in(page, owner)
    assert audits(page, addresses) == {}


def test_from_the_matrix_to_the_solutions_behind_a_count(page: Page, addresses, owner, sign_in):
    sign_in(page, owner)
    page.goto(addresses["matrix"])
    page.get_by_role("link", name="70.0 %").click()
    expect(page.get_by_role("heading", name="Who says what")).to_be_visible()
    row = page.get_by_role("row", name="no error")
    row.get_by_role("link", name="4", exact=True).click()
    expect(page.get_by_text("Narrowed from a dashboard")).to_be_visible()
    expect(page.locator("tr.link-row")).to_have_count(4)
