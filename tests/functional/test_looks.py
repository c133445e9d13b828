"""Every page in both themes, both sizes and zoomed: no complaint of the browser or axe-core."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from labeling.services import assignments, rollups
from tests import factories
from tests.functional import every_page
from tests.functional.looks import audit, audits, forgive_missing_page, in_looks, picture, wrong
from tests.laws.test_routes import OWN, PUBLIC, SCOPED


@pytest.fixture
def addresses(project, owner, dispute) -> dict[str, str]:
    return every_page.addresses(project, owner, dispute)


def test_every_page_is_looked_at(addresses):
    """A new route that shows a page has to be among them."""
    shown = {name for name, (method, _) in SCOPED.items() if method == "get"}
    pages = (shown | PUBLIC | OWN) - every_page.NO_PAGES
    assert pages - set(addresses) == set()


@in_looks("wide-light", "wide-dark", "phone-light", "phone-dark", "zoomed-light")
def test_pages_are_accessible_and_fit(look, page: Page, troubles, addresses, owner, sign_in):
    signed_out = {"login", "welcome"}
    found = audits(page, {name: addresses[name] for name in sorted(signed_out)})
    sign_in(page, owner)
    for name in sorted(set(addresses) - signed_out):
        answer = page.goto(addresses[name])
        assert (name, answer.status) == (name, 404 if name == "nowhere" else 200)
        picture(page, f"{name}_{look}")
        found[name] = audit(page)
    page.goto(addresses["annotate"])
    expect(page.locator(".step.current")).to_be_visible()
    for keys in ("1", "2", "3", "g", "?", "Escape", "r"):
        page.keyboard.press(keys)
        found[f"annotate after {keys}"] = audit(page)
    assert wrong(found) == {}
    forgive_missing_page(troubles)  # "nowhere"


def test_the_theme_is_chosen_by_a_button_and_remembered(page, owner, sign_in):
    sign_in(page, owner)
    page.goto("/tokens/")
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(paper)
    page.get_by_role("button", name="Switch between light and dark").click()
    dark = page.evaluate(paper)
    assert dark != light
    page.reload()
    assert page.evaluate(paper) == dark


def test_mathematics_is_typeset_and_broken_tex_shown_as_its_source(
    page, project, viewer, dispute, sign_in
):
    solution = dispute(project, [r"So $\frac{1}{2}$.", r"Then $\frac{1}{$ follows.", "It cost $5."])
    sign_in(page, viewer)
    page.goto(reverse("solution", args=[project.uid, solution.uid]))
    steps = page.locator(".step-text > .prose")
    expect(steps.nth(0).locator(".katex .mfrac")).to_be_visible()
    expect(steps.nth(1).locator(".math.broken")).to_have_text(r"\frac{1}{")
    expect(steps.nth(2)).to_have_text("It cost $5.")
    expect(steps.nth(2).locator(".math")).to_have_count(0)


HOSTILE = [
    "<script>window.pwned = 1</script>",
    "<img src=x onerror='window.pwned = 1'>",
    "[click](javascript:window.pwned=1)",
    r"$\href{javascript:window.pwned=1}{click}$",
    r"$\htmlClass{pwned}{x}$ $\htmlStyle{position:fixed}{y}$",
    r"$\includegraphics{/static/x.png}$",
    r"$\def\a{\a\a}\a$",
    "$</span><script>window.pwned = 1</script>$",
]


def test_hostile_text_never_executes(page, project, viewer, dispute, sign_in):
    solution = dispute(
        project,
        HOSTILE,
        problem__statement="<svg onload='window.pwned = 1'> " + " ".join(HOSTILE),
        generator="<script>window.pwned = 1</script>",
        final_answer="<img src=x onerror='window.pwned = 1'>",
    )
    sign_in(page, viewer)
    for address in ("solution", "solutions"):
        args = [project.uid, solution.uid] if address == "solution" else [project.uid]
        page.goto(reverse(address, args=args))
        page.wait_for_timeout(300)
        assert page.evaluate("window.pwned") is None
        assert page.locator("main :is(script, img, svg[onload], .pwned)").count() == 0
        assert page.locator("main a[href^='javascript:']").count() == 0
        assert page.locator("main [onerror], main [onload]").count() == 0


def test_the_running_part_of_the_overview_follows_the_work(page, project, viewer, dispute, sign_in):
    dispute(project, ["a", "b"])
    run = factories.RunFactory(labeler=project.labelers.get(kind="judge"), project=project)
    factories.SolutionFactory(problem__project=project)
    sign_in(page, viewer)
    page.goto(reverse("overview", args=[project.uid]))
    running = page.locator("#running")
    expect(running).to_contain_text("1 of 2")
    dispute(project, ["c", "d"])
    expect(running).to_contain_text("2 of 3")
    run.state = "done"
    run.save()
    expect(running).to_contain_text("Nothing runs now")
    expect(running).not_to_have_attribute("hx-trigger", "every 2s")


def test_the_numbers_of_the_overview_lead_to_the_solutions_behind_them(
    page, project, viewer, dispute, sign_in
):
    for _ in range(3):
        dispute(project, ["a", "b"])
    rollups.fold_all()
    sign_in(page, viewer)
    page.goto(reverse("overview", args=[project.uid]))
    row = page.locator(".decisions tr", has_text="disputed")
    expect(row.get_by_role("link")).to_have_text("3")
    row.get_by_role("link").click()
    expect(page.locator("tbody tr")).to_have_count(3)


def test_the_submitted_item_is_accessible_too(page, project, annotator, dispute, sign_in):
    dispute(project, ["a", "b"])
    now = timezone.now()
    item = assignments.lease_next(by=annotator, project=project, now=now)
    draft = {"labels": [1, -1]}
    assignments.submit(
        by=annotator, uid=item.uid, key=uuid4(), draft=draft, active_seconds=1, now=now
    )
    sign_in(page, annotator)
    page.goto(reverse("annotate_submitted", args=[project.uid, item.uid]))
    assert audit(page) == []
