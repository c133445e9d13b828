"""The exam from its page to its result, as an annotator and a manager live through it."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling.domain.assignments import GoldUse
from labeling.models import Assignment, Verdict
from labeling.services import gold, projects
from tests.functional.looks import audit

STEPS = ["Start: 4 + 4 = 8.", "Then 8 * 2 = 15.", "The answer is 16."]


@pytest.fixture
def examined(project, owner, manager, dispute):
    """Two exam items of three, both to be right; one disputed solution waits behind the exam."""
    projects.change_policy(by=owner, project=project, exam_items=2, exam_pass_share=1.0)
    for number in range(4):
        solution = dispute(project, [*STEPS, f"Item {number}."])
        gold.add(
            by=manager, solution=solution, use=GoldUse.EXAM, first_error=1,
            explanation="Twice $8$ is $16$.",
        )  # fmt: skip
    dispute(project, ["The real work begins.", "Here."])
    return project


def label(page: Page, keys: str) -> None:
    """Label the shown item by keys and submit it, once the page hears them."""
    expect(page.locator(".step.current")).to_be_visible()
    shown = page.locator("[data-bench]").get_attribute("data-uid")
    for key in keys.split():
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    page.wait_for_function(
        "uid => document.querySelector('[data-bench]')?.dataset.uid !== uid", arg=shown
    )


def test_the_exam_from_start_to_a_second_attempt(
    context, page, examined, annotator, manager, sign_in
):
    sign_in(page, annotator)
    page.goto(reverse("annotate", args=[examined.uid]))
    expect(page.get_by_role("heading", name="Exam")).to_be_visible()
    expect(page.locator("main")).to_contain_text("there are 2 with known answers")
    assert audit(page) == []
    page.get_by_role("link", name="Begin").click()
    expect(page.locator(".step")).to_have_count(4)
    label(page, "1 3")  # right
    expect(page.locator(".step")).to_have_count(4)
    label(page, "3")  # too early
    page.wait_for_url(re.compile("/exam/$"))
    expect(page.locator("main")).to_contain_text("1 of 2 right")
    expect(page.locator("main")).to_contain_text("You did not pass this time")
    expect(page.locator(".answers > li")).to_have_count(2)
    expect(page.locator(".badge", has_text="too early")).to_be_visible()
    expect(page.locator(".explanation .katex").first).to_be_visible()
    assert audit(page) == []
    page.goto(reverse("annotate", args=[examined.uid]))
    page.wait_for_url(re.compile("/exam/$"))

    lead = context.browser.new_page(base_url=page.url.split("/p/")[0])
    sign_in(lead, manager)
    lead.goto(reverse("exam_people", args=[examined.uid]))
    row = lead.locator("tbody tr", has_text="anna-annotator")
    expect(row).to_contain_text("not passed")
    row.get_by_role("textbox").fill("we talked it over")
    row.get_by_role("button", name="Grant").click()
    expect(lead.get_by_role("status")).to_contain_text("may take the exam once more")
    assert audit(lead) == []
    lead.close()

    page.goto(reverse("annotate", args=[examined.uid]))
    expect(page.locator("main")).to_contain_text("attempt 2")
    page.get_by_role("link", name="Begin").click()
    expect(page.locator(".step")).to_have_count(4)
    label(page, "1 3")
    label(page, "1 3")
    page.wait_for_url(re.compile("/exam/$"))
    expect(page.locator("main")).to_contain_text("You passed")
    page.get_by_role("link", name="To the queue").click()
    expect(page.locator(".step").first).to_contain_text("The real work begins.")
    exams = Assignment.objects.filter(purpose="exam")
    assert exams.count() == len(set(exams.values_list("solution_id", flat=True))) == 4
    assert Verdict.objects.filter(labeler__user=annotator).count() == 4


def test_a_solution_is_made_gold_and_retired_by_mouse(page, project, manager, dispute, sign_in):
    solution = dispute(project, STEPS)
    sign_in(page, manager)
    page.goto(reverse("solution", args=[project.uid, solution.uid]))
    page.locator("summary", has_text="Make it a gold item").click()
    page.get_by_label("First wrong step").select_option("2")
    page.get_by_label("Explanation").fill("Twice 8 is 16.")
    assert audit(page) == []
    page.get_by_role("button", name="Make gold").click()
    expect(page.get_by_role("status")).to_have_text("The solution is a gold item now.")
    page.get_by_role("link", name="All gold items").click()
    expect(page.locator("tbody tr")).to_contain_text("step 2")
    page.get_by_role("button", name="Retire").click()
    expect(page.locator("tr.retired")).to_have_count(1)
    page.get_by_role("link", name="retired 1").click()
    expect(page.locator("tbody tr")).to_have_count(1)
