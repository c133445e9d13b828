"""The whole way by the keyboard alone, with what a screen reader is told at each stop."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling.domain.assignments import GoldUse
from labeling.models import Assignment, Verdict
from labeling.services import gold, guidelines, projects
from tests.functional.annotating import press, saved, unhurried
from tests.functional.conftest import PASSWORD
from tests.functional.test_accessibility_tree import FOCUSED

SUBMITTED = re.compile(r"annotate/[\w-]+/$")
REASONS = ["bad_problem", "wrong_reference", "bad_steps", "other"]


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what bears the name has the focus: it has to be within reach."""
    for _ in range(40):
        press(page, "Tab")
        if name in page.evaluate(FOCUSED):
            return
    raise AssertionError(f"Tab never reaches {name!r}")


@pytest.fixture
def campaign(project, owner, manager, dispute):
    """Guidelines to be read, an exam of one item, and two disputes of which every step counts."""
    projects.change_policy(
        by=owner, project=project, exam_items=1, exam_pass_share=1.0, label_mode="every_step"
    )
    guidelines.publish(by=owner, project=project, text="Judge each step.", based_on=0)
    known = dispute(project, ["1 + 1 = 2.", "2 + 2 = 5."])
    gold.add(by=manager, solution=known, use=GoldUse.EXAM, first_error=1, explanation="It is 4.")
    dispute(project, ["a", "b", "c", "d"])
    dispute(project, ["e", "f"])
    return project


def test_from_the_door_to_the_last_item(page, campaign, annotator):
    heard = page.locator("[role=status][data-announce]")
    page.goto(reverse("annotate", args=[campaign.uid]))
    page.keyboard.type(annotator.username)
    press(page, "Tab")
    page.keyboard.type(PASSWORD)
    press(page, "Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Read this first")
    tab_to(page, "I have read this")
    press(page, "Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Exam")
    tab_to(page, "Begin")
    press(page, "Enter")
    expect(page.locator(".step").first).to_be_focused()
    assert page.evaluate(FOCUSED) == "Step 1: no label."
    press(page, "1 3 Enter")
    expect(page.locator("main")).to_contain_text("You passed")
    tab_to(page, "To the queue")
    press(page, "Enter")
    expect(page.locator(".step")).to_have_count(4)
    expect(page.locator(".step").first).to_be_focused()
    press(page, "1 3 d")
    expect(heard).to_have_text("Steps 3 to 4: unsure. First error: step 2.")
    press(page, "u")
    expect(heard).to_have_text("Undone. Step 3: no label.")
    press(page, "Shift+U k n")
    assert page.evaluate(FOCUSED) == ""  # the empty field of the note
    page.keyboard.type("not sure why")
    press(page, "Escape")
    expect(page.locator(".step.current")).to_be_focused()
    unhurried(page)
    press(page, "Enter")
    page.wait_for_url(SUBMITTED)
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    assert page.evaluate(FOCUSED) == "Submitted: ✗ step 2"
    unhurried(page)
    press(page, "Enter")
    expect(page.locator(".step")).to_have_count(2)
    assert page.evaluate(FOCUSED) == "Step 1: no label."
    expect(heard).to_have_text("Label one solution: 2 steps.")
    press(page, "b")
    expect(
        page.get_by_role("dialog", name="Earlier items").get_by_role("link").first
    ).to_be_focused()
    press(page, "Enter")
    expect(heard).to_have_text("Correct a submitted solution: 4 steps.")
    verdict = Verdict.objects.get(labeler__user=annotator, solution__steps__len=4)
    assert verdict.step_labels == [1, -1, 0, 0]


@pytest.mark.parametrize("code", REASONS)
def test_each_reason_is_reached_by_the_keyboard_and_kept(bench, annotator, code):
    saved(bench)
    press(bench, "r")
    dialog = bench.get_by_role("dialog", name="Report this item")
    expect(dialog.get_by_role("radio").first).to_be_focused()
    press(bench, "ArrowDown " * REASONS.index(code))
    press(bench, "Tab")
    expect(dialog.get_by_label("In your words")).to_be_focused()
    bench.keyboard.type("as I see it")
    tab_to(bench, "Report")
    press(bench, "Enter")
    expect(bench.locator(".step")).to_have_count(2)
    expect(bench.locator(".step").first).to_be_focused()
    expect(bench.locator("[data-announce]")).to_have_text("Label one solution: 2 steps.")
    said = Verdict.objects.get(labeler__user=annotator)
    assert (said.state, said.reason_code, said.reason) == ("rejected", code, "as I see it")


def test_a_skip_is_heard_and_taken_back(bench):
    saved(bench)
    press(bench, "s ArrowDown ArrowDown Enter")
    expect(bench.locator(".step")).to_have_count(2)
    assert Assignment.objects.get(skipped_at__isnull=False).skip_code == "known"
    expect(bench.locator("[data-announce]")).to_have_text("Label one solution: 2 steps.")
    unhurried(bench)
    press(bench, "b")
    expect(bench.get_by_role("button", name="skipped: take it back")).to_be_focused()
    press(bench, "Enter")
    expect(bench.locator("[data-announce]")).to_have_text("Label one solution: 4 steps.")
