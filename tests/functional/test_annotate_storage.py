"""Nothing is lost where the browser denies its help: no storage, a full one, a wrong clock."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from labeling.domain.roles import Role
from labeling.models import Verdict
from tests import factories
from tests.functional.annotating import (
    current,
    labels,
    nothing_left,
    press,
    saved,
    states,
    until,
)
from tests.functional.test_annotate_faults import SUBMITTED, in_browser

DENIED = """for (const name of ["localStorage", "sessionStorage"]) {
  Object.defineProperty(window, name, { get() { throw new DOMException("no", "SecurityError"); } });
}"""
FULL = """() => {
  Storage.prototype.setItem = () => { throw new DOMException("", "QuotaExceededError"); };
}"""


@pytest.fixture
def expected(troubles):
    """The browser reports each request that a test cuts off: those are no complaint."""
    yield
    troubles.clear()


def test_where_the_browser_forbids_storage_one_labels_all_the_same(bench, project, annotator):
    bench.add_init_script(DENIED)
    bench.goto(reverse("annotate", args=[project.uid]))
    expect(bench.locator(".step.current")).to_be_visible()
    press(bench, "1 2 g g p p")
    until(bench, "() => document.querySelector('[data-save]').dataset.state === 'saved'")
    assert labels() == [1, 0, None, None]
    bench.get_by_role("button", name="Switch between light and dark").click()
    press(bench, "u 3 Enter")
    bench.wait_for_url(SUBMITTED)
    assert Verdict.objects.get(labeler__user=annotator).first_error == 1


def test_with_a_full_storage_and_no_network_the_page_says_that_it_is_the_only_copy(
    bench, context, expected
):
    saved(bench)
    bench.evaluate(FULL)
    context.set_offline(True)
    press(bench, "1 2")
    indicator = bench.locator("[data-save]")
    expect(indicator).to_contain_text("close")
    asked = []
    bench.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    bench.close(run_before_unload=True)
    bench.wait_for_timeout(500)
    assert asked == ["beforeunload"]
    context.set_offline(False)
    saved(bench)
    assert labels() == [1, 0, None, None]


def test_a_full_storage_gives_up_histories_before_labels(bench, context, expected):
    saved(bench)
    bench.evaluate(
        """() => {
          const history = "x".repeat(1000);
          const fill = { history, draft: "", at: Date.now() };
          try {
            for (let n = 0; ; n++) localStorage[`annotator:history:old${n}`] = JSON.stringify(fill);
          } catch {}
        }"""
    )
    context.set_offline(True)
    press(bench, "1 3")
    expect(bench.locator("[data-save]")).to_have_text("⚠ offline, kept here")
    assert in_browser(bench)[0]["draft"]["labels"] == [1, -1, None, None]
    context.set_offline(False)
    saved(bench)


def test_a_clock_set_right_makes_no_unsent_label_too_old(
    bench, context, project, annotator, dispute, expected
):
    """A machine's clock stood in the past when one labeled, and was set before one came back."""
    elsewhere = factories.ProjectFactory(created_by=project.created_by)
    factories.MembershipFactory(project=elsewhere, user=annotator, role=Role.ANNOTATOR)
    dispute(elsewhere, ["Another project's.", "Its end."])
    context.set_offline(True)
    press(bench, "1 3")
    expect(bench.locator("[data-save]")).to_have_text("⚠ offline, kept here")
    bench.close()
    context.set_offline(False)
    again = context.new_page()
    again.goto(reverse("guidelines", args=[project.uid]))
    again.evaluate(
        """() => {
          const key = Object.keys(localStorage).find((key) => key.startsWith("annotator:item:"));
          localStorage[key] = JSON.stringify({ ...JSON.parse(localStorage[key]), at: 0 });
        }"""
    )
    again.goto(reverse("annotate", args=[elsewhere.uid]))
    nothing_left(again)
    assert current(solution__problem__project=project).draft["labels"] == [1, -1, None, None]


def test_what_a_wrong_clock_dated_waits_for_its_owner_while_another_works(
    bench, context, project, owner, dispute, sign_in, expected
):
    dispute(project, ["An item for the other.", "Its end."])
    item = current()
    context.set_offline(True)
    press(bench, "1 3")
    expect(bench.locator("[data-save]")).to_have_text("⚠ offline, kept here")
    bench.close()
    context.set_offline(False)
    theirs = context.new_page()
    theirs.goto(reverse("guidelines", args=[project.uid]))
    theirs.evaluate(
        """() => {
          const key = Object.keys(localStorage).find((key) => key.startsWith("annotator:item:"));
          localStorage[key] = JSON.stringify({ ...JSON.parse(localStorage[key]), at: 0 });
        }"""
    )
    context.clear_cookies()
    sign_in(theirs, owner)
    with theirs.expect_response(lambda answer: answer.status in {403, 404}):
        theirs.goto(reverse("annotate", args=[project.uid]))
    key = f"annotator:item:{item.uid}"
    until(theirs, f"() => 'waits' in JSON.parse(localStorage.getItem('{key}'))")
    left = theirs.evaluate(f"() => JSON.parse(localStorage.getItem('{key}'))")
    assert left["draft"]["labels"] == [1, -1, None, None]
    assert "refused" not in left


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 200, "body": "<h1>Log in to the hotel's network</h1>"},
        {"status": 200, "content_type": "application/json", "body": '{"version": 1'},
        {"status": 429, "body": "slow down"},
        {"status": 409, "content_type": "application/json", "body": "{"},
    ],
    ids=["captive portal", "torn answer", "too many requests", "torn refusal"],
)
def test_an_answer_that_is_none_is_like_no_network(bench, answer, annotator, expected):
    saved(bench)
    given = []

    def once(route):
        if given:
            route.continue_()
            return
        given.append(route.request.url)
        route.fulfill(**answer)

    bench.route("**/draft", once)
    press(bench, "1")
    expect(bench.locator("[data-save]")).to_have_text("⚠ offline, kept here")
    press(bench, "2")
    saved(bench)
    assert labels() == [1, 0, None, None]
    bench.unroute("**/draft")
    given.clear()
    bench.route("**/submit", once)
    press(bench, "3 Enter")
    expect(bench.locator("[data-today]")).to_have_text("1")
    nothing_left(bench)
    assert len(given) == 1
    assert Verdict.objects.filter(labeler__user=annotator).count() == 1


def test_half_an_emoji_in_a_note_is_no_reason_to_lose_the_rest(bench):
    press(bench, "1 n")
    bench.evaluate(
        """() => {
          const field = document.activeElement;
          field.value = "half \\ud83d of one";
          field.dispatchEvent(new InputEvent("input", { bubbles: true }));
        }"""
    )
    saved(bench)
    assert labels() == [1, None, None, None]
    assert current().draft["notes"] == {"1": "half \ufffd of one"}


def test_two_tabs_undo_and_neither_loses_what_the_other_did(bench, context, project, expected):
    press(bench, "1 2")
    saved(bench)
    other = context.new_page()
    other.goto(reverse("annotate", args=[project.uid]))
    expect(other.locator(".step.current .step-number")).to_have_text("3")
    press(other, "1")
    saved(other)
    press(bench, "u")  # knows nothing of the other tab's label
    dialog = bench.get_by_role("dialog", name="Two drafts of this item")
    expect(dialog.locator("tbody tr")).to_have_count(2)
    dialog.get_by_role("radio", name="Step 3, saved elsewhere").check()
    dialog.get_by_role("button", name="Go on with what is chosen").click()
    saved(bench)
    assert labels() == [1, None, 1, None]
    press(bench, "u")
    assert states(bench)[:3] == ["correct", "no label", "no label"]
