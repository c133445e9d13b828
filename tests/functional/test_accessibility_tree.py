"""What assistive technology finds where one works: roles, names, states, order, what is read out.

Trees are those that browsers hand to screen readers, as Playwright writes them: a line missing or
renamed here is a thing that somebody who does not see the page no longer finds.
"""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling.domain.assignments import GoldUse
from labeling.domain.policy import Policy
from labeling.services import gold
from tests import factories
from tests.functional.annotating import press, saved
from tests.functional.test_adjudication import disputes  # noqa: F401 - a fixture
from tests.functional.test_screen_reader import LISTEN, told

FOCUSED = """() => {
  const at = document.activeElement;
  return at.ariaLabel ?? at.innerText.trim().replace(/\\s+/g, " ");
}"""


def states(page: Page) -> list[dict[str, object]]:
    """Return name, `current` and focus of the steps, from the browser's own tree."""
    cdp = page.context.new_cdp_session(page)
    nodes = cdp.send("Accessibility.getFullAXTree")["nodes"]
    cdp.detach()
    return [
        {
            "name": node["name"]["value"],
            "focused": any(
                one["name"] == "focused" and one["value"]["value"] for one in node["properties"]
            ),
        }
        for node in nodes
        if node.get("role", {}).get("value") == "listitem" and "Step" in node["name"]["value"]
    ]


def test_an_item_reads_as_problem_steps_and_what_one_can_do(bench):
    saved(bench)
    expect(bench.locator("main")).to_match_aria_snapshot("""
      - main:
        - heading "Label one solution" [level=1]
        - region "Problem":
          - button "p Problem▾" [expanded]
          - paragraph:
            - text: Reference answer
            - code: /.+/
            - button "dispute"
          - button "r report"
          - button "g guidelines"
          - group "Text of the problem":
            - paragraph: /What is/
        - list "Steps":
          - 'listitem "Step 1: no label."':
            - text: "1"
            - paragraph: "Start: 4 + 4 = 8."
            - text: no label
            - button "n note on step 1"
          - 'listitem "Step 2: no label."'
          - 'listitem "Step 3: no label."'
          - 'listitem "Step 4: no label."'
        - paragraph:
          - button "⇧n note on the whole solution"
        - group "Label the step in focus":
          - button "1 correct"
          - button "2 unsure"
          - button "3 wrong"
        - group "Label several steps":
          - button "e first error"
          - button "a rest correct"
        - paragraph: 4 of 4 steps to label.
        - button "u Undo" [disabled]
        - button "⇧u Redo" [disabled]
        - button "s skip"
        - button "Enter submit" [disabled]
    """)


def test_the_steps_tell_their_labels_and_which_is_in_focus(bench):
    press(bench, "1 2")
    assert states(bench) == [
        {"name": "Step 1: correct.", "focused": False},
        {"name": "Step 2: unsure.", "focused": False},
        {"name": "Step 3: no label.", "focused": True},
        {"name": "Step 4: no label.", "focused": False},
    ]
    expect(bench.locator("[aria-current=step]")).to_have_attribute("data-step", "2")
    press(bench, "3")
    # the later one is folded: it is not there for anybody
    assert [step["name"] for step in states(bench)] == [
        "Step 1: correct.", "Step 2: unsure.", "Step 3: wrong.",
    ]  # fmt: skip
    expect(bench.get_by_role("button", name="wrong")).to_have_attribute("aria-pressed", "true")


def test_saving_is_not_read_out_and_trouble_is(bench, context, troubles):
    saved(bench)
    bench.evaluate(LISTEN)
    press(bench, "1")
    assert told(bench, 1) == ["Step 1: correct."]
    saved(bench)
    bench.wait_for_timeout(300)
    assert bench.evaluate("window.told") == []
    context.set_offline(True)
    press(bench, "1")
    assert told(bench, 2) == ["Step 2: correct.", "⚠ offline, kept here"]
    context.set_offline(False)
    assert told(bench, 1) == ["✓ saved"]
    troubles.clear()  # the network that was away


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("?", "Keys"),
        ("s", "Skip this item or give it up"),
        ("r", "Report this item"),
        ("b", "Earlier items"),
    ],
)
def test_dialogs_have_names_take_the_focus_and_give_it_back(bench, key, name):
    press(bench, "1")
    assert bench.evaluate(FOCUSED) == "Step 2: no label."
    press(bench, key)
    dialog = bench.get_by_role("dialog", name=name, exact=True)
    expect(dialog).to_be_visible()
    inside = "() => document.activeElement.closest('dialog[open]') !== null"
    assert bench.evaluate(inside)
    press(bench, "Escape")
    expect(dialog).not_to_be_visible()
    assert bench.evaluate(FOCUSED) == "Step 2: no label."


def test_tab_goes_from_the_step_to_what_one_does_with_it(bench):
    press(bench, "1 1 1 1 u")  # all can be done now but to redo nothing
    found = []
    for _ in range(12):
        press(bench, "Tab")
        found.append(bench.evaluate(FOCUSED))
    assert found == [
        "n note on step 4", "⇧n note on the whole solution", "1 ✓ correct", "2 ? unsure",
        "3 ✗ wrong", "e first error", "a rest ✓ correct", "u ↶ Undo", "⇧u ↷ Redo", "s skip",
        "Enter submit", found[-1],
    ]  # fmt: skip


def test_the_help_names_each_key_with_what_it_does(bench):
    press(bench, "?")
    expect(bench.locator("#help")).to_match_aria_snapshot("""
      - dialog "Keys":
        - heading "Keys" [level=2]
        - term:
          - button "Change the key 1"
        - definition: this step is correct, go on
        - term:
          - button "Change the key Enter"
        - definition: submit and go on
        - status
        - checkbox "Single keys work (turn them off where they get in the way of other tools)" [checked]
        - checkbox "After each submit, show what others said of the item" [checked]
        - button "Back to the usual keys"
        - button "Close"
    """)  # noqa: E501 - as it is read
    wrong = bench.get_by_role("button", name="Change the key 3")
    expect(wrong).to_have_accessible_description("this step is wrong")


def test_where_one_decides_each_side_and_step_has_its_words(
    page,
    project,
    adjudicator,
    disputes,  # noqa: F811
    sign_in,
):
    sign_in(page, adjudicator)
    page.goto(reverse("adjudication", args=[project.uid]))
    expect(page.locator("main")).to_match_aria_snapshot("""
      - main:
        - heading "Adjudicate 2 wait" [level=1]
        - link "Enter decide the first one"
        - navigation "Why they wait":
          - link "all"
          - link "reported as bad 0"
          - link "people disagree 2"
        - form "Filters"
        - region "What waits":
          - table:
            - rowgroup:
              - row "Problem Why Source Since Now with"
            - rowgroup:
              - row /What is .* people disagree factory/
    """)
    page.goto(reverse("solution", args=[project.uid, disputes[0].uid]))
    expect(page.locator("main")).to_match_aria_snapshot("""
      - main:
        - heading /Solution/ [level=1]
        - button "? keys"
        - region "Steps and verdicts":
          - table:
            - rowgroup:
              - row:
                - columnheader "Step"
                - columnheader "Monte Carlo some-mc no error 1 take"
                - columnheader "LLM judge some-judge step 3 2 take"
                - columnheader /Annotator Ben.* step 3 3 take/
                - columnheader /Annotator Carla.* step 4 4 take/
                - columnheader "Yours first error"
            - rowgroup:
              - row:
                - cell "No step is wrong":
                  - radio "No step is wrong"
              - row:
                - cell "1"
                - cell "correct nobody differs"
                - cell:
                  - radio "Step 1 is the first error"
              - row
              - row
              - row:
                - cell "4"
                - cell "correct"
                - cell "not judged"
                - cell "correct"
                - cell "correct"
                - cell:
                  - radio "Step 4 is the first error"
        - region "Decide":
          - heading "Decide" [level=2]
          - textbox "Reason"
          - button "Enter Adjudicate"
          - button "x Discard"
          - link "s Pass"
    """)
    page.keyboard.press("2")
    expect(page.locator("[aria-live=polite][data-choice]")).to_contain_text("step 3")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    side = dialog.get_by_role("button", name="Change the key of side 2")
    expect(side).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#step-3")).to_be_focused()


def test_an_exam_is_announced_as_one(page, project, annotator, sign_in):
    project.policy_values = Policy(exam_items=1).to_dict()
    project.save()
    solution = factories.SolutionFactory(problem__project=project, steps=["One.", "Two."])
    gold.add(
        by=project.created_by, solution=solution, use=GoldUse.EXAM, first_error=1, explanation="2."
    )
    sign_in(page, annotator)
    page.goto(reverse("exam", args=[project.uid]))
    expect(page.locator("main")).to_match_aria_snapshot("""
      - main:
        - heading "Exam" [level=1]
        - text: not begun
        - paragraph: /Before your first real item/
        - list:
          - listitem: /looks and works like every other item/
        - paragraph:
          - link "Begin"
    """)
    page.get_by_role("link", name="Begin").click()
    expect(page.get_by_role("list", name="Steps").get_by_role("listitem")).to_have_count(2)
