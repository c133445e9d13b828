"""Guidelines, settings and invitations in a real browser."""

from __future__ import annotations

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from labeling.domain.roles import Role
from labeling.services import accounts, guidelines
from tests import factories
from tests.functional.looks import audit, audits, forgive_missing_page, in_every_look


def test_an_annotator_reads_what_is_new_and_goes_on(
    page, troubles, project, owner, annotator, dispute, sign_in
):
    dispute(project, ["Take $x$.", "So $x = 2$."])
    guidelines.publish(by=owner, project=project, text="Judge each step.", based_on=0)
    sign_in(page, annotator)
    page.goto(reverse("annotate", args=[project.uid]))
    expect(page.get_by_role("heading", name="Read this first")).to_be_visible()
    page.keyboard.press("Tab")  # the button is within the keyboard's reach
    page.get_by_role("button", name="I have read this").press("Enter")
    expect(page.locator("[data-bench]")).to_be_visible()
    guidelines.publish(
        by=owner, project=project, text="Judge each step alone.", based_on=1, change="Alone."
    )
    page.reload()
    expect(page.locator(".changes ins b")).to_have_text("alone")
    expect(page.locator(".changes ins")).to_contain_text("Judge each step alone.")


def test_the_preview_follows_the_writing_and_publishing_shows_the_version(
    page, project, manager, sign_in
):
    sign_in(page, manager)
    page.goto(reverse("edit_guidelines", args=[project.uid]))
    page.get_by_label("Text").fill("A step is **wrong** when $1 = 2$.")
    expect(page.locator("#preview strong")).to_have_text("wrong")
    expect(page.locator("#preview .katex")).to_be_visible()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("status")).to_have_text("Version 1 is published.")


def test_an_owner_invites_and_the_link_lets_the_person_in(
    page, browser, live_server, project, owner, sign_in
):
    sign_in(page, owner)
    page.goto(reverse("settings", args=[project.uid]))
    page.get_by_label("Name").fill("nina-new")
    page.get_by_role("button", name="Invite a new person").click()
    link = page.locator(".secret").inner_text()
    other = browser.new_context(base_url=live_server.url)
    theirs = other.new_page()
    theirs.goto(link)
    assert audit(theirs) == []
    theirs.get_by_label("New password", exact=True).fill("blue kettle 77")
    theirs.get_by_label("New password confirmation").fill("blue kettle 77")
    theirs.get_by_role("button", name="Set the password").click()
    expect(theirs.get_by_text("Nothing waits for you.")).to_be_visible()
    other.close()


@in_every_look
def test_the_pages_that_tests_of_looks_do_not_reach_are_accessible(
    page, troubles, project, owner, annotator, dispute, sign_in
):
    dispute(project, ["Take $x$.", "So $x = 2$."])
    for version, text in enumerate(("Judge.\n\nAll of it.", "Judge each step.\n\nAll of it.")):
        guidelines.publish(
            by=owner, project=project, text=text, based_on=version, change="Each step."
        )
    first = project.guideline_versions.get(version=1)
    factories.AcknowledgementFactory(guideline=first, user=annotator)
    plain = accounts.invite(
        by=owner, project=project, username="nina", role=Role.VIEWER, now=timezone.now()
    )
    links = {"welcome": reverse("welcome", args=[plain]), "used": "/welcome/x/"}
    assert audits(page, links) == {}
    forgive_missing_page(troubles)  # the used link's
    sign_in(page, annotator)
    page.goto(reverse("annotate", args=[project.uid]))
    expect(page.get_by_role("heading", name="The guidelines have changed")).to_be_visible()
    assert audit(page) == []
