"""Keys of one's own, the keyboard alone, the phone, the window at 200 %, axe on every dialog."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling.models import Verdict
from labeling.services import preferences
from tests.functional.annotating import current, focused, press, saved, states, unhurried
from tests.functional.conftest import PASSWORD
from tests.functional.looks import audit


def remap(page: Page, action: str, key: str) -> None:
    dialog = page.get_by_role("dialog", name="Keys")
    dialog.locator(f"[data-remap={action}]").click()
    page.keyboard.press(key)
    expect(dialog.get_by_role("status")).to_contain_text("saved")


def test_help_opens_and_closes_by_key(bench):
    press(bench, "?")
    expect(bench.get_by_role("dialog", name="Keys")).to_be_visible()
    press(bench, "Escape")
    expect(bench.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_a_key_of_ones_own_is_shown_and_works_everywhere(bench, annotator):
    press(bench, "?")
    remap(bench, "correct", "c")
    press(bench, "Escape")
    expect(bench.get_by_role("button", name="c correct")).to_be_visible()
    press(bench, "1 c")
    assert states(bench)[:2] == ["correct", "no label"]
    saved(bench)
    bench.reload()
    expect(bench.get_by_role("button", name="c correct")).to_be_visible()
    expect(bench.locator("#help [data-remap=correct] kbd")).to_have_text("c")
    annotator.refresh_from_db()
    assert annotator.preferences["keys"]["correct"] == "c"


def test_a_key_that_was_taken_changes_places(bench):
    press(bench, "?")
    remap(bench, "correct", "3")
    expect(bench.locator("#help").get_by_role("status")).to_contain_text(
        "“this step is wrong” is now on 1"
    )
    press(bench, "Escape 3 1")
    assert states(bench)[:2] == ["correct", "wrong"]
    press(bench, "?")
    bench.get_by_role("button", name="Back to the usual keys").click()
    expect(bench.locator("#help").get_by_role("status")).to_contain_text("saved")
    press(bench, "Escape u u 1")
    assert states(bench)[0] == "correct"


def test_escape_keeps_the_old_key_and_odd_keys_are_refused(bench):
    press(bench, "?")
    bench.locator("[data-remap=correct]").click()
    press(bench, "F7")
    expect(bench.locator("#help").get_by_role("status")).to_contain_text("cannot be used")
    press(bench, "Escape")
    expect(bench.get_by_role("dialog", name="Keys")).to_be_visible()
    press(bench, "Escape 1")
    assert states(bench)[0] == "correct"


def test_a_choice_that_is_not_saved_is_taken_back_in_words(bench, context, troubles):
    saved(bench)
    press(bench, "?")
    context.set_offline(True)
    bench.locator("[data-remap=correct]").click()
    press(bench, "c")
    expect(bench.locator("#help").get_by_role("status")).to_contain_text("Nothing was changed")
    expect(bench.locator("[data-remap=correct] kbd")).to_have_text("1")
    context.set_offline(False)
    troubles.clear()


def test_single_keys_can_be_turned_off(bench):
    press(bench, "?")
    bench.get_by_label("Single keys work").uncheck()
    expect(bench.locator("#help").get_by_role("status")).to_contain_text("saved")
    press(bench, "Escape 1 3")
    assert states(bench) == ["no label"] * 4
    press(bench, "ArrowDown")
    assert focused(bench) == 2
    bench.get_by_role("button", name="wrong").click()
    press(bench, "Control+z")
    assert states(bench) == ["no label"] * 4


@pytest.mark.parametrize("key", ["<", "&", '"', "'"])
def test_a_sign_as_key_is_text_on_the_page(page, project, annotator, dispute, sign_in, key):
    preferences.save(by=annotator, values={"keys": {"correct": key}})
    dispute(project, ["a", "b"])
    sign_in(page, annotator)
    page.goto(reverse("annotate", args=[project.uid]))
    expect(page.locator(".pad [data-key=correct]")).to_have_text(key)
    page.keyboard.type(key)
    assert states(page)[0] == "correct"


def test_the_whole_loop_by_keyboard_alone(page, project, annotator, dispute):
    dispute(project, ["a", "b", "c"])
    dispute(project, ["d", "e"])
    page.goto(reverse("annotate", args=[project.uid]))
    page.keyboard.type(annotator.username)
    press(page, "Tab")
    page.keyboard.type(PASSWORD)
    press(page, "Enter")
    expect(page.locator(".step")).to_have_count(3)
    expect(page.locator(".step.current")).to_be_visible()  # now the page hears keys
    press(page, "1 n")
    page.keyboard.type("looks odd")
    press(page, "Escape 3 Enter")
    page.wait_for_url(re.compile(r"annotate/[\w-]+/$"))
    unhurried(page)
    press(page, "Enter")
    expect(page.locator(".step")).to_have_count(2)
    # the buttons are reached by Tab from the step in focus
    for _ in range(30):
        press(page, "Tab")
        if page.evaluate("document.activeElement.dataset.act") == "correct":
            break
    press(page, "Enter")
    assert states(page)[0] == "correct"
    unhurried(page)
    press(page, "1 Enter")
    page.wait_for_url(re.compile(r"annotate/[\w-]+/$"))
    unhurried(page)
    press(page, "Enter")
    expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    assert Verdict.objects.filter(labeler__user=annotator).count() == 2


def test_a_phone_labels_with_the_thumb(browser, live_server, project, annotator, dispute, sign_in):
    dispute(project, [f"Step {n} with $x^{{{n}}} + \\frac{{1}}{{2}}$ in it." for n in range(20)])
    phone = browser.new_context(
        base_url=live_server.url, viewport={"width": 390, "height": 844}, has_touch=True,
        is_mobile=True, device_scale_factor=2,
    )  # fmt: skip
    page = phone.new_page()
    sign_in(page, annotator)
    page.goto(reverse("annotate", args=[project.uid]))
    for name in ("correct", "unsure", "wrong"):
        box = page.get_by_role("button", name=name, exact=True).bounding_box()
        assert box["height"] >= 44
        assert box["y"] > 600  # within a thumb's reach
        assert box["y"] + box["height"] <= 844
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="correct", exact=True).tap()
    page.get_by_role("button", name="wrong", exact=True).tap()
    expect(page.locator("[data-hint]")).to_have_text("First error: step 2.")
    page.get_by_role("button", name="Undo").tap()
    page.get_by_role("button", name="rest correct").tap()
    page.get_by_role("button", name="submit").tap()
    expect(page.locator("h1")).to_contain_text("Submitted")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    phone.close()


def test_at_200_percent_all_is_within_reach(
    browser, live_server, project, annotator, dispute, sign_in
):
    dispute(project, ["Some words of a step. " * 12] * 12)
    # a window of 1440 × 900 at 200 % has the room of 720 × 450
    zoomed = browser.new_context(
        base_url=live_server.url, viewport={"width": 720, "height": 450}, device_scale_factor=2
    )
    page = zoomed.new_page()
    sign_in(page, annotator)
    page.goto(reverse("annotate", args=[project.uid]))
    for _ in range(6):
        press(page, "1")
    step = page.locator(".step.current").bounding_box()
    foot = page.locator(".bench-foot").bounding_box()
    assert step["y"] >= 0
    assert step["y"] + step["height"] <= foot["y"] + 1
    assert foot["height"] <= 150
    assert page.evaluate("document.documentElement.scrollWidth") <= 720
    assert audit(page) == []
    zoomed.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_dialog_is_accessible(bench, other_draft, scheme, troubles):
    bench.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    found = {}
    for keys in ("s", "r", "?", "b"):
        press(bench, keys)
        found[keys] = audit(bench)
        press(bench, "Escape")
    press(bench, "Shift+N")
    found["whole note"] = audit(bench)
    press(bench, "Escape 3")
    expect(bench.get_by_role("dialog", name="Two drafts of this item")).to_be_visible()
    found["conflict"] = audit(bench)
    troubles.clear()  # the 409
    assert {name: said for name, said in found.items() if said} == {}


@pytest.fixture
def other_draft(bench):
    """Something else was saved elsewhere meanwhile."""
    saved(bench)
    item = current()
    item.draft, item.draft_version = {"labels": [1, 0, None, None]}, item.draft_version + 1
    item.save()


def test_nothing_moves_by_itself(bench):
    moving = bench.evaluate(
        """[...document.querySelectorAll("*")].filter((element) => {
          const style = getComputedStyle(element);
          return style.animationName !== "none" || parseFloat(style.transitionDuration) > 0
            || style.scrollBehavior === "smooth";
        }).map((element) => element.className)"""
    )
    assert moving == []
