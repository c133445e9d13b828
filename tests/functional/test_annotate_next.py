"""From item to item: the evidence, the one fetched ahead, skips, reports, and ways back."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from labeling.models import Assignment, Verdict
from labeling.services import preferences
from tests import factories
from tests.functional.annotating import ahead, current, press, saved, states, unhurried

SUBMITTED = re.compile(r"annotate/[\w-]+/$")
STOPWATCH = """() => {
  window.took = new Promise((done) => {
    let pressed;
    addEventListener("keydown", () => (pressed = performance.now()), { once: true, capture: true });
    new MutationObserver((_, observer) => {
      if (document.querySelectorAll(".step").length !== %d) return;
      observer.disconnect();
      requestAnimationFrame(() => setTimeout(() => done(performance.now() - pressed)));
    }).observe(document.body, { childList: true, subtree: true });
  });
}"""


def test_submitting_shows_the_evidence_and_enter_goes_on(bench, annotator):
    press(bench, "1 3 Enter")
    bench.wait_for_url(SUBMITTED)
    expect(bench.locator("h1")).to_contain_text("step 2")
    expect(bench.get_by_text("The judge's critique of the step.")).to_be_visible()
    expect(bench.get_by_text("6 of 8").first).to_be_visible()
    verdict = Verdict.objects.get(labeler__user=annotator)
    assert (verdict.first_error, verdict.step_labels) == (1, [1, -1, None, None])
    unhurried(bench)
    press(bench, "Enter")
    expect(bench.locator(".step")).to_have_count(2)
    assert bench.url.endswith("/annotate/")


def test_the_evidence_comes_with_the_answer_and_more_completions_when_opened(
    bench, project, annotator
):
    mc = project.labelers.get(kind="mc")
    for number in range(2):
        factories.RolloutFactory(
            solution=current(user=annotator).solution, labeler=mc, step=0, sample=number,
            text="So $\\frac{4}{2}$ it is.",
        )  # fmt: skip
    asked = []
    bench.on("request", lambda request: asked.append(request.url.split("/")[-1]))
    press(bench, "1 3 Enter")
    bench.wait_for_url(SUBMITTED)
    expect(bench.locator("h1")).to_be_focused()
    assert asked.count("submit") == 1
    assert "" not in asked  # the page of the evidence itself was not asked for
    assert current(user=annotator).pk  # the next item is the current one
    item = Assignment.objects.get(submitted_at__isnull=False)
    assert item.evidence_seen_at is not None
    expect(bench.get_by_text("it is.")).to_have_count(0)
    bench.locator("#step-1 summary").first.click()
    expect(bench.locator("#step-1 .rollout .katex .mfrac")).to_have_count(2)


def test_the_next_item_comes_without_a_page_load_and_at_once(bench):
    ahead(bench)
    bench.evaluate("window.stays = true")
    bench.evaluate(STOPWATCH % 0)
    press(bench, "j e")
    bench.evaluate(STOPWATCH % 0)
    press(bench, "Enter")
    evidence = bench.evaluate("window.took")
    unhurried(bench)
    bench.evaluate(STOPWATCH % 2)
    press(bench, "Enter")
    following = bench.evaluate("window.took")
    print(f"\nsubmit → evidence {evidence:.0f} ms, Enter → next item {following:.0f} ms")
    assert bench.evaluate("window.stays") is True
    expect(bench.locator(".step").first).to_contain_text("Second item, one step.")


@pytest.fixture
def without_evidence(page, project, annotator, dispute, sign_in):
    """Somebody who does not want to see the evidence after each item."""
    preferences.save(by=annotator, values={"evidence": False})
    for steps in (["a", "b", "c"], ["d", "e"], ["f"]):
        dispute(project, steps, judged=0)
    sign_in(page, annotator)
    page.goto(reverse("annotate", args=[project.uid]))
    return page


def test_submit_to_next_item_is_one_frame_where_no_evidence_is_wanted(without_evidence, annotator):
    page = without_evidence
    expect(page.locator(".step")).to_have_count(3)
    ahead(page)
    page.evaluate("window.stays = true")
    press(page, "a")
    page.evaluate(STOPWATCH % 2)
    press(page, "Enter")
    took = page.evaluate("window.took")
    print(f"\nsubmit → next item on screen {took:.0f} ms")
    assert page.evaluate("window.stays") is True
    saved(page)
    ahead(page)
    press(page, "a Enter")
    expect(page.locator(".step")).to_have_count(1)
    expect(page.locator("[data-today]")).to_have_text("2")
    assert Verdict.objects.filter(labeler__user=annotator).count() == 2
    saved(page)
    unhurried(page)
    press(page, "1 Enter")
    expect(page.get_by_text("Nothing waits for you.")).to_be_visible()


def test_a_second_enter_is_not_meant_for_the_next_item(without_evidence, annotator):
    page = without_evidence
    ahead(page)
    # the next item was labeled before: alone a slip of the finger would submit it
    Assignment.objects.filter(ahead=True).update(draft={"labels": [1, 1]}, draft_version=1)
    page.reload()
    ahead(page)
    press(page, "a Enter Enter")
    expect(page.locator(".step")).to_have_count(2)
    expect(page.locator("[data-today]")).to_have_text("1")
    assert Verdict.objects.filter(labeler__user=annotator).count() == 1


def test_back_in_the_browser_shows_the_evidence_again(bench):
    ahead(bench)
    press(bench, "j e Enter")
    bench.wait_for_url(SUBMITTED)
    unhurried(bench)
    press(bench, "Enter")
    expect(bench.locator(".step")).to_have_count(2)
    bench.go_back()
    expect(bench.locator("h1")).to_contain_text("Submitted")
    bench.go_forward()
    expect(bench.locator(".step")).to_have_count(2)


def test_back_to_a_submitted_item_corrects_it(bench, annotator):
    press(bench, "j e Enter")
    bench.wait_for_url(SUBMITTED)
    unhurried(bench)
    press(bench, "b")
    dialog = bench.get_by_role("dialog", name="Earlier items")
    expect(dialog.get_by_role("link")).to_contain_text("first error: step 2")
    press(bench, "Enter")
    expect(bench.get_by_text("You have submitted this item.")).to_be_visible()
    assert bench.url.endswith("/edit")
    assert states(bench)[:2] == ["correct", "wrong"]
    unhurried(bench)
    press(bench, "k u 3")
    expect(bench.locator("[data-save]")).to_contain_text("kept here, not submitted")
    bench.reload()  # what is not submitted yet survives
    expect(bench.locator("[data-hint]")).to_have_text("First error: step 1.")
    unhurried(bench)
    press(bench, "Enter")
    bench.wait_for_url(SUBMITTED)
    verdict = Verdict.objects.get(labeler__user=annotator)
    assert (verdict.first_error, verdict.informed) == (0, True)
    unhurried(bench)
    press(bench, "Enter")
    expect(bench.locator(".step")).to_have_count(2)


def test_skipping_asks_for_a_reason_keeps_the_labels_and_can_be_taken_back(bench):
    press(bench, "1 s")
    dialog = bench.get_by_role("dialog", name="Skip this item")
    expect(dialog).to_be_visible()
    press(bench, "2")  # labels nothing while a dialog is open
    dialog.get_by_label("would take too long").check()
    dialog.get_by_role("button", name="Skip").click()
    expect(bench.locator(".step")).to_have_count(2)
    skipped = Assignment.objects.get(skipped_at__isnull=False)
    assert (skipped.skip_reason, skipped.draft["labels"]) == (
        "would take too long", [1, None, None, None],
    )  # fmt: skip
    unhurried(bench)
    press(bench, "b")
    entry = bench.get_by_role("dialog", name="Earlier items").get_by_role("button", name="skipped")
    expect(entry).to_be_focused()
    press(bench, "Enter")
    expect(bench.locator(".step")).to_have_count(4)
    assert states(bench)[0] == "correct"
    assert current().pk == skipped.pk


def test_giving_up_is_skip_and_enter(bench):
    press(bench, "s Enter")
    expect(bench.locator(".step")).to_have_count(2)
    assert Assignment.objects.get(skipped_at__isnull=False).skip_code == "give_up"


def test_something_else_needs_words_and_nothing_is_lost_where_they_lack(bench, troubles):
    press(bench, "r")
    dialog = bench.get_by_role("dialog", name="Report this item")
    dialog.get_by_role("radio", name="something else").check()
    dialog.get_by_role("button", name="Report").click()
    expect(dialog.get_by_role("alert")).to_contain_text("say what is wrong")
    troubles.clear()  # the refusal's status
    dialog.get_by_label("In your words").fill("two problems in one")
    dialog.get_by_role("button", name="Report").click()
    expect(bench.locator(".step")).to_have_count(2)
    assert Verdict.objects.get(state="rejected").reason == "two problems in one"


def test_a_reference_answer_is_disputed_where_it_stands(bench, annotator):
    bench.get_by_role("button", name="dispute").click()
    dialog = bench.get_by_role("dialog", name="Report this item")
    expect(dialog.get_by_label("the reference answer is wrong")).to_be_checked()
    dialog.get_by_role("button", name="Report").click()
    expect(bench.locator(".step")).to_have_count(2)
    assert Verdict.objects.get(labeler__user=annotator).reason_code == "wrong_reference"


def test_a_skip_without_network_says_so_and_keeps_the_item(bench, context, troubles):
    saved(bench)
    context.set_offline(True)
    press(bench, "1 s Enter")
    dialog = bench.get_by_role("dialog", name="Skip this item")
    expect(dialog.get_by_role("alert")).to_contain_text("nothing was sent")
    context.set_offline(False)
    dialog.get_by_role("button", name="Skip").click()
    expect(bench.locator(".step")).to_have_count(2)
    troubles.clear()


def test_leaving_the_page_gives_the_items_back_and_a_reload_does_not(bench, project):
    ahead(bench)
    with bench.expect_navigation():  # as people reload: Playwright's own way tells the page nothing
        bench.evaluate("location.reload()")
    ahead(bench)
    bench.wait_for_timeout(300)
    now = timezone.now()
    assert Assignment.objects.filter(expires_at__gt=now).count() == 2
    bench.goto(reverse("guidelines", args=[project.uid]))
    bench.wait_for_timeout(500)
    assert Assignment.objects.filter(expires_at__gt=timezone.now()).count() == 0
    bench.goto(reverse("annotate", args=[project.uid]))
    expect(bench.locator(".step")).to_have_count(4)


def test_before_submitting_nothing_of_the_machines_is_in_the_page(bench):
    ahead(bench)
    with bench.expect_response(lambda response: response.url.endswith("/ahead")) as found:
        bench.reload()
    fragment = found.value.text()
    assert "Second item, one step." in fragment
    for source in (bench.content(), fragment):
        for secret in ("judge's critique", "6 of 8", "some-mc", "some-judge", "factory-model"):
            assert secret not in source
