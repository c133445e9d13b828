"""Labeling in a real browser: one key labels and moves on; undo and redo without limit."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling.models import Verdict
from tests.functional.annotating import current, focused, labels, press, saved, states


@pytest.fixture
def every_step(page: Page, project, annotator, dispute, sign_in) -> Page:
    """The annotate page of a project in which every step counts."""
    project.policy_values["label_mode"] = "every_step"
    project.save()
    dispute(project, ["a", "b", "c", "d", "e"])
    sign_in(page, annotator)
    page.goto(reverse("annotate", args=[project.uid]))
    return page


def test_one_key_labels_and_moves_on(bench):
    press(bench, "1 2")
    assert states(bench)[:2] == ["correct", "unsure"]
    assert focused(bench) == 3
    saved(bench)
    assert labels() == [1, 0, None, None]


def test_keys_that_come_before_the_page_listens_count(bench):
    def late(route):
        bench.wait_for_timeout(600)
        route.continue_()

    press(bench, "1")
    saved(bench)
    bench.route("**/katex.min*.js", late)
    bench.reload(wait_until="commit")
    bench.locator(".step").nth(3).wait_for()
    press(bench, "2 u 1 1")
    expect(bench.locator(".step.current")).to_have_count(0)  # the scripts wait for KaTeX
    expect(bench.locator(".step.current")).to_have_count(1)
    assert states(bench)[:3] == ["correct", "correct", "correct"]
    assert focused(bench) == 4
    saved(bench)
    assert labels() == [1, 1, 1, None]


def test_labels_come_back_on_reload(bench):
    press(bench, "1 2")
    saved(bench)
    bench.reload()
    expect(bench.locator(".step").nth(1)).to_contain_text("unsure")
    assert focused(bench) == 3


def test_a_wrong_step_folds_the_later_ones_and_undo_unfolds_them(bench):
    press(bench, "1 3")
    expect(bench.locator(".step:visible")).to_have_count(2)
    expect(bench.locator("[data-fold]")).to_contain_text("2 later steps folded")
    expect(bench.locator("[data-hint]")).to_have_text("First error: step 2.")
    press(bench, "u")
    expect(bench.locator(".step:visible")).to_have_count(4)
    press(bench, "u")
    saved(bench)
    assert labels() == [None] * 4


def test_keys_move_mark_the_first_error_and_the_rest(bench):
    press(bench, "j j e")
    assert states(bench)[:3] == ["correct", "correct", "wrong"]
    press(bench, "u k a")
    # the focus was on step 3, k moves to step 2: it and the rest are correct, step 1 is open
    expect(bench.locator("[data-hint]")).to_have_text("1 of 4 steps to label.")
    press(bench, "Enter")
    # nothing is sent: the focus goes to what is missing
    assert focused(bench) == 1
    assert not Verdict.objects.filter(labeler__kind="human").exists()


def test_every_step_can_be_labeled_and_the_rest_at_once(every_step, annotator):
    press(every_step, "1 3 d")
    expect(every_step.locator("[data-hint]")).to_have_text("First error: step 2.")
    assert states(every_step) == ["correct", "wrong", "unsure", "unsure", "unsure"]
    press(every_step, "k k f")
    assert states(every_step) == ["correct", "wrong", "wrong", "wrong", "wrong"]
    press(every_step, "u a Enter")
    every_step.wait_for_url(re.compile(r"annotate/[\w-]+/$"))
    verdict = Verdict.objects.get(labeler__user=annotator)
    # undo brings the focus back to where "the rest" began: step 3
    assert verdict.step_labels == [1, -1, 1, 1, 1]


def test_the_first_error_alone_needs_no_word_on_the_rest(bench):
    press(bench, "d f")
    assert states(bench) == ["no label"] * 4


def test_undo_and_redo_go_through_labels_and_notes_without_limit(bench):
    for key in "12" * 10:
        bench.keyboard.press(key)
        bench.keyboard.press("k")
    bench.keyboard.press("n")
    bench.keyboard.type("a note")
    bench.keyboard.press("Escape")
    note = bench.locator("[data-note]").nth(focused(bench) - 1)
    expect(note).to_have_value("a note")
    before = states(bench)
    bench.keyboard.press("u")
    expect(note).to_have_value("")
    for _ in range(20):
        bench.keyboard.press("Control+z")
    assert states(bench) == ["no label"] * 4
    expect(bench.get_by_role("button", name="Undo")).to_have_attribute("aria-disabled", "true")
    for key in ["Shift+U", "Control+Shift+z", *["Control+y"] * 19]:
        bench.keyboard.press(key)
    assert states(bench) == before
    expect(note).to_have_value("a note")
    expect(bench.get_by_role("button", name="Redo")).to_have_attribute("aria-disabled", "true")


def test_undo_and_redo_survive_a_reload(bench):
    press(bench, "1 2 3 u")
    saved(bench)
    bench.reload()
    expect(bench.locator(".step").nth(1)).to_contain_text("unsure")
    press(bench, "u")
    assert states(bench)[:3] == ["correct", "no label", "no label"]
    press(bench, "Shift+U Shift+U")
    assert states(bench)[:3] == ["correct", "unsure", "wrong"]


def test_a_label_after_undo_ends_what_could_be_done_again(bench):
    press(bench, "1 1 u 2 Shift+U")
    assert states(bench)[:3] == ["correct", "unsure", "no label"]


def test_notes_are_written_without_triggering_keys(bench):
    press(bench, "j n")
    bench.keyboard.type("8 * 2 = 16, so 3 is wrong")
    press(bench, "Escape Shift+N")
    bench.keyboard.type("Sloppy throughout.")
    press(bench, "Escape")
    saved(bench)
    draft = current().draft
    assert draft["notes"] == {"1": "8 * 2 = 16, so 3 is wrong"}
    assert draft["note"] == "Sloppy throughout."
    assert draft["labels"] == [None] * 4


def test_the_step_in_focus_is_in_view_with_its_neighbors(
    page, project, annotator, dispute, sign_in
):
    dispute(project, [f"Step {number}. " + "Words of it. " * 20 for number in range(1, 108)])
    sign_in(page, annotator)
    page.goto(reverse("annotate", args=[project.uid]))
    expect(page.locator(".step")).to_have_count(107)
    inside = """(index) => {
      const pane = document.querySelector("[data-pane]").getBoundingClientRect();
      const step = document.querySelectorAll(".step")[index].getBoundingClientRect();
      return Math.min(step.bottom, pane.bottom) - Math.max(step.top, pane.top) > 20;
    }"""
    for press_count, key in ((60, "1"), (20, "k")):
        for _ in range(press_count):
            page.keyboard.press(key)
        index = focused(page) - 1
        assert [page.evaluate(inside, index + by) for by in (-1, 0, 1)] == [True] * 3
    assert focused(page) == 41


def test_labels_by_pointer_work_as_by_key(bench):
    bench.get_by_role("button", name="1 correct").click()
    bench.get_by_role("button", name="3 wrong").click()
    expect(bench.locator("[data-hint]")).to_have_text("First error: step 2.")
    bench.get_by_role("button", name="show them").click()
    expect(bench.locator(".step:visible")).to_have_count(4)
    bench.get_by_role("button", name="Undo").click()
    bench.locator(".step").nth(2).click()
    bench.get_by_role("button", name="first error").click()
    assert states(bench)[:3] == ["correct", "correct", "wrong"]
    bench.locator(".step.current").get_by_role("button", name="Note on step 3").click()
    bench.keyboard.type("by pointer")
    saved(bench)
    assert current().draft["notes"] == {"2": "by pointer"}


def test_a_click_on_a_number_lights_up_the_same_number(bench):
    bench.locator(".step .prose").nth(1).locator("text=Then 8").click(position={"x": 50, "y": 12})
    lit = bench.evaluate(
        "() => [...(CSS.highlights.get('same-number') ?? [])].map((r) => r.toString())"
    )
    # 8 stands in step 1 (the sum) and in step 2; 16 and 15 are other numbers
    assert lit == ["8", "8"]


def test_problem_and_guidelines_fold_and_stay_as_they_were_left(bench):
    press(bench, "g p")
    expect(bench.get_by_role("complementary", name="Guidelines")).to_be_visible()
    expect(bench.locator("[data-problem]")).to_be_hidden()
    bench.reload()
    expect(bench.get_by_role("complementary", name="Guidelines")).to_be_visible()
    expect(bench.locator("[data-problem]")).to_be_hidden()
    press(bench, "g p")
    expect(bench.get_by_role("complementary", name="Guidelines")).to_be_hidden()
    expect(bench.locator("[data-problem]")).to_be_visible()


def test_what_happens_is_announced(bench):
    announced = bench.locator("[data-announce]")
    press(bench, "1")
    expect(announced).to_have_text("Step 1: correct.")
    press(bench, "3")
    expect(announced).to_have_text("Step 2: wrong. First error: step 2.")
    press(bench, "u")
    expect(announced).to_have_text("Undone. Step 2: no label.")
    # the focus of the browser is on the step: a screen reader reads it
    expect(bench.locator(".step").nth(1)).to_be_focused()
    expect(bench.locator(".step").nth(1)).to_have_attribute("aria-current", "step")


def test_idle_time_does_not_count(bench):
    # the clock reads performance.now(): jump it by an hour without any input
    before = bench.locator("[data-clock]").inner_text()
    bench.evaluate(
        "() => { const real = performance.now.bind(performance);"
        " performance.now = () => real() + 3_600_000; }"
    )
    bench.wait_for_timeout(2500)
    minutes, seconds = map(int, bench.locator("[data-clock]").inner_text().split(":"))
    was = int(before.split(":")[1])
    assert minutes == 0
    assert seconds <= was + 3
