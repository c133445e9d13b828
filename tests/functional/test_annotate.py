"""Labeling by keyboard in a real browser: drafts survive, submissions count once."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling.models import Assignment, Verdict

STEPS = ["Start: 4 + 4 = 8.", "Then 8 * 2 = 15.", "And 15 + 1 = 16.", "The answer is 16."]


@pytest.fixture
def bench(page: Page, project, annotator, dispute, sign_in) -> Page:
    """The annotate page of the first of two disputed items."""
    dispute(project, STEPS)
    dispute(project, ["Second item, one step.", "Its last step."])
    sign_in(page, annotator)
    page.goto(reverse("annotate", args=[project.uid]))
    expect(page.locator(".step")).to_have_count(4)
    return page


def press(page: Page, keys: str) -> None:
    for key in keys.split():
        page.keyboard.press(key)


def states(page: Page) -> list[str]:
    return [text.strip() for text in page.locator("[data-state] .badge").all_inner_texts()]


def saved(page: Page) -> None:
    expect(page.locator("[data-save]")).to_have_text("✓ saved")


def labels() -> list[int | None]:
    return Assignment.objects.get(submitted_at=None).draft.get("labels")


def test_labels_are_saved_within_a_second_and_come_back_on_reload(bench):
    press(bench, "1 2")
    expect(bench.locator("[data-save]")).to_have_text("✓ saved", timeout=1000)
    bench.wait_for_timeout(600)
    assert labels() == [1, 0, None, None]
    bench.reload()
    expect(bench.locator(".step").nth(0)).to_contain_text("correct")
    expect(bench.locator(".step").nth(1)).to_contain_text("unsure")
    expect(bench.locator(".step").nth(2)).to_have_class(re.compile("current"))


def test_a_wrong_step_folds_the_later_ones_and_undo_unfolds_them(bench):
    press(bench, "1 3")
    expect(bench.locator(".step:visible")).to_have_count(2)
    expect(bench.locator("[data-fold]")).to_contain_text("2 later steps folded")
    expect(bench.locator("[data-hint]")).to_have_text("First error: step 2.")
    press(bench, "u")
    expect(bench.locator(".step:visible")).to_have_count(4)
    press(bench, "u")
    saved(bench)
    bench.wait_for_timeout(600)
    assert labels() == [None] * 4


def test_keys_move_mark_the_first_error_and_the_rest(bench):
    press(bench, "j j e")
    assert states(bench)[:3] == ["✓\ncorrect", "✓\ncorrect", "✗\nwrong"]
    press(bench, "u k a")
    # the focus was on step 3, k moves to step 2: it and the rest are correct, step 1 is open
    expect(bench.locator("[data-hint]")).to_contain_text("1 of 4 steps to label")
    press(bench, "Enter")
    # nothing is sent: the focus goes to what is missing
    expect(bench.locator(".step").nth(0)).to_have_class(re.compile("current"))
    assert not Verdict.objects.filter(labeler__kind="human").exists()


def test_submitting_shows_the_evidence_and_enter_goes_on(bench, annotator):
    press(bench, "1 3 Enter")
    bench.wait_for_url("**/annotate/*/")
    expect(bench.locator("h1")).to_contain_text("step 2")
    expect(bench.get_by_text("The judge's critique of the step.")).to_be_visible()
    expect(bench.get_by_text("6 of 8").first).to_be_visible()
    verdict = Verdict.objects.get(labeler__user=annotator)
    assert (verdict.first_error, verdict.step_labels) == (1, [1, -1, None, None])
    press(bench, "Enter")
    expect(bench.locator(".step")).to_have_count(2)


def test_enter_twice_is_one_verdict(bench, annotator):
    posts = []
    bench.on("request", lambda r: "submit" in r.url and posts.append(r.url))
    press(bench, "j e Enter Enter Enter")
    bench.wait_for_url("**/annotate/*/")
    assert Verdict.objects.filter(labeler__user=annotator).count() == 1
    assert len(posts) == 1


def test_a_submission_whose_answer_is_lost_is_sent_again_and_counts_once(
    bench, annotator, troubles
):
    lost = []

    def lose_the_first_answer(route):
        if lost:
            route.continue_()
            return
        lost.append(route.fetch().status)
        route.abort()

    bench.route("**/submit", lose_the_first_answer)
    press(bench, "j e Enter")
    bench.wait_for_url("**/annotate/*/")
    assert lost == [200]
    assert Verdict.objects.filter(labeler__user=annotator).count() == 1
    troubles.clear()  # the browser reports the request that the test cut off


def test_before_submitting_nothing_of_the_machines_is_in_the_page(bench):
    source = bench.content()
    for secret in ("judge's critique", "6 of 8", "some-mc", "some-judge", "factory-model"):
        assert secret not in source


def test_labels_made_offline_are_kept_and_sent_later(bench, context, troubles):
    context.set_offline(True)
    press(bench, "1 1")
    expect(bench.locator("[data-save]")).to_have_text("⚠ offline, kept here")
    assert labels() in (None, [])
    context.set_offline(False)
    saved(bench)
    assert labels() == [1, 1, None, None]
    troubles.clear()  # failed requests while offline


def test_labels_made_offline_survive_a_closed_tab(bench, context, project, troubles):
    context.set_offline(True)
    press(bench, "1 3")
    expect(bench.locator("[data-save]")).to_have_text("⚠ offline, kept here")
    bench.close()
    context.set_offline(False)
    again = context.new_page()
    again.goto(reverse("annotate", args=[project.uid]))
    expect(again.locator("[data-hint]")).to_have_text("First error: step 2.")
    saved(again)
    again.wait_for_timeout(600)
    assert labels() == [1, -1, None, None]
    troubles.clear()


def test_after_the_session_ends_labels_are_kept_and_sent_on_return(
    bench, context, annotator, sign_in
):
    context.clear_cookies(name="sessionid")
    press(bench, "1")
    expect(bench.locator("[data-save]")).to_have_text("⚠ signed out, kept here")
    bench.get_by_role("link", name="Sign in again").click()
    bench.get_by_label("Name").fill(annotator.username)
    bench.get_by_label("Password").fill("correct horse")
    bench.get_by_role("button", name="Sign in").click()
    expect(bench.locator(".step").nth(0)).to_contain_text("correct")
    saved(bench)
    bench.wait_for_timeout(600)
    assert labels() == [1, None, None, None]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [("Load the newer draft", [-1, None, None, None]), ("Keep mine", [1, 1, None, None])],
)
def test_a_second_tab_cannot_overwrite_a_newer_draft_unasked(
    bench, context, project, troubles, choice, expected
):
    other = context.browser.new_context(
        base_url=bench.url.split("/p/")[0], storage_state=context.storage_state()
    ).new_page()
    other.goto(reverse("annotate", args=[project.uid]))
    press(other, "3")
    expect(other.locator("[data-hint]")).to_have_text("First error: step 1.")
    saved(other)
    other.wait_for_timeout(600)
    press(bench, "1 1")
    expect(bench.locator("[data-trouble]")).to_contain_text("A newer draft of this item was saved")
    assert labels() == [-1, None, None, None]
    bench.get_by_role("button", name=choice).click()
    expect(bench.locator("[data-trouble]")).to_be_hidden()
    saved(bench)
    bench.wait_for_timeout(600)
    assert labels() == expected
    other.context.close()
    troubles.clear()  # the 409 itself


def test_notes_are_written_without_triggering_keys(bench):
    press(bench, "j n")
    bench.keyboard.type("8 * 2 = 16, so 3 is wrong")
    press(bench, "Escape")
    saved(bench)
    bench.wait_for_timeout(600)
    draft = Assignment.objects.get(submitted_at=None).draft
    assert draft["notes"] == {"1": "8 * 2 = 16, so 3 is wrong"}
    assert draft["labels"] == [None] * 4


def test_skipping_asks_for_a_reason_and_brings_the_next_item(bench):
    press(bench, "s")
    dialog = bench.get_by_role("dialog", name="Skip this item")
    expect(dialog).to_be_visible()
    press(bench, "1")  # labels nothing while a dialog is open
    dialog.get_by_label("would take too long").check()
    dialog.get_by_role("button", name="Skip").click()
    expect(bench.locator(".step")).to_have_count(2)
    assert Assignment.objects.get(skipped_at__isnull=False).skip_reason == "would take too long"


def test_reporting_rejects_the_item(bench, annotator):
    press(bench, "r")
    dialog = bench.get_by_role("dialog", name="Report this item")
    dialog.get_by_label("the steps are cut badly").check()
    dialog.get_by_role("button", name="Report").click()
    expect(bench.locator(".step")).to_have_count(2)
    verdict = Verdict.objects.get(labeler__user=annotator)
    assert (verdict.state, verdict.reason) == ("rejected", "the steps are cut badly")


def test_help_opens_and_closes_by_key(bench):
    press(bench, "?")
    expect(bench.get_by_role("dialog", name="Keys")).to_be_visible()
    press(bench, "Escape")
    expect(bench.get_by_role("dialog", name="Keys")).to_be_hidden()


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


def test_labels_by_pointer_work_as_by_key(bench):
    bench.get_by_role("button", name="correct").click()
    bench.get_by_role("button", name="wrong").click()
    expect(bench.locator("[data-hint]")).to_have_text("First error: step 2.")
    bench.get_by_role("button", name="show them").click()
    expect(bench.locator(".step:visible")).to_have_count(4)


def test_a_click_on_a_number_lights_up_the_same_number(bench):
    bench.locator(".step .prose").nth(1).locator("text=Then 8").click(position={"x": 50, "y": 12})
    lit = bench.evaluate(
        "() => [...(CSS.highlights.get('same-number') ?? [])].map((r) => r.toString())"
    )
    # 8 stands in step 1 (the sum) and in step 2; 16 and 15 are other numbers
    assert lit == ["8", "8"]
