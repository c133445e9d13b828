"""Nothing is ever lost: network, server, session and tabs are taken away while one labels."""

from __future__ import annotations

import json
import re
import time

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse
from playwright.sync_api import expect

from labeling.models import Assignment, Verdict
from tests.functional.annotating import (
    ahead,
    current,
    labels,
    nothing_left,
    press,
    saved,
    states,
    unhurried,
)
from tests.functional.conftest import PASSWORD

SUBMITTED = re.compile(r"annotate/[\w-]+/$")


@pytest.fixture
def expected(troubles):
    """The browser reports each request that a test cuts off: those are no complaint."""
    yield
    troubles.clear()


def in_browser(page) -> list[dict]:
    """Return what the browser keeps unsent."""
    entries = page.evaluate(
        "Object.keys(localStorage).filter(k => k.startsWith('annotator:item:'))"
        ".map(k => localStorage[k])"
    )
    return [json.loads(entry) for entry in entries]


def test_a_label_is_on_the_server_within_a_second(bench):
    saved(bench)
    started = time.monotonic()
    # keys without a pause put nothing off
    for key in "1212121212":
        press(bench, key)
        press(bench, "k")
        bench.wait_for_timeout(60)
    while labels() in (None, [], [None] * 4) and time.monotonic() - started < 5:
        bench.wait_for_timeout(20)
    took = time.monotonic() - started
    print(f"\nfirst label on the server after {1000 * took:.0f} ms")
    assert labels() != [None] * 4
    assert took < 1.5  # a second, and half a one for this machine's noise


def test_a_label_is_kept_the_moment_the_tab_is_killed(bench, context, project):
    bench.evaluate(
        "() => { window.fetch = () => new Promise(() => {}); }"
    )  # nothing reaches the server
    press(bench, "1 3")
    assert in_browser(bench)[0]["draft"]["labels"] == [1, -1, None, None]
    bench.close()
    again = context.new_page()
    again.goto(reverse("annotate", args=[project.uid]))
    expect(again.locator("[data-hint]")).to_have_text("First error: step 2.")
    saved(again)
    assert labels() == [1, -1, None, None]


def test_a_reload_in_mid_typing_keeps_every_letter(bench, expected):
    press(bench, "j n")
    bench.keyboard.type("half a sente")
    bench.reload()
    expect(bench.locator("[data-note]").nth(1)).to_have_value("half a sente")
    saved(bench)
    assert current().draft["notes"] == {"1": "half a sente"}


def test_a_page_made_before_the_last_save_that_comes_after_it_shows_the_labels(bench):
    """A reload overtakes the save: the server makes the page first, the browser gets it last."""
    saved(bench)
    older = bench.context.request.get(bench.url)
    press(bench, "1 2")
    saved(bench)
    nothing_left(bench)
    bench.route(bench.url, lambda route: route.fulfill(response=older), times=1)
    bench.reload()
    expect(bench.locator(".step.current .step-number")).to_have_text("3")
    assert states(bench)[:2] == ["correct", "unsure"]
    press(bench, "3")
    saved(bench)
    assert labels() == [1, 0, -1, None]


def test_labels_made_offline_are_kept_and_sent_later(bench, context, expected):
    context.set_offline(True)
    press(bench, "1 1")
    expect(bench.locator("[data-save]")).to_have_text("⚠ offline, kept here")
    assert labels() in (None, [])
    context.set_offline(False)
    saved(bench)
    assert labels() == [1, 1, None, None]


def test_labels_made_offline_survive_a_closed_tab(bench, context, project, expected):
    context.set_offline(True)
    press(bench, "1 3")
    expect(bench.locator("[data-save]")).to_have_text("⚠ offline, kept here")
    bench.close()
    context.set_offline(False)
    again = context.new_page()
    again.goto(reverse("annotate", args=[project.uid]))
    expect(again.locator("[data-hint]")).to_have_text("First error: step 2.")
    saved(again)
    assert labels() == [1, -1, None, None]


def test_a_server_in_trouble_gets_the_labels_once_it_is_well(bench, expected):
    broken = []

    def fail_twice(route):
        if len(broken) == 2:
            route.continue_()
            return
        broken.append(route.request.post_data_json["draft"])
        route.fulfill(status=500, body="<h1>Server Error (500)</h1>")

    bench.route("**/draft", fail_twice)
    press(bench, "1 2")
    saved(bench)
    assert len(broken) == 2
    assert labels() == [1, 0, None, None]


def test_a_saved_draft_whose_answer_is_lost_is_no_conflict_with_oneself(bench, expected):
    lost = []

    def lose_the_first_answer(route):
        if lost:
            route.continue_()
            return
        lost.append(route.fetch().status)
        route.abort()

    bench.route("**/draft", lose_the_first_answer)
    press(bench, "1")
    expect(bench.locator("[data-save]")).to_have_text("⚠ offline, kept here")
    press(bench, "2")
    saved(bench)
    assert lost == [200]
    assert labels() == [1, 0, None, None]
    expect(bench.get_by_role("dialog")).to_have_count(0)


def test_a_submission_whose_answer_is_lost_is_sent_again_and_counts_once(
    bench, annotator, expected
):
    lost = []

    def lose_the_first_answer(route):
        if lost:
            route.continue_()
            return
        lost.append(route.fetch().status)
        route.abort()

    saved(bench)
    bench.route("**/submit", lose_the_first_answer)
    press(bench, "j e Enter")
    nothing_left(bench)
    assert lost == [200]
    assert Verdict.objects.filter(labeler__user=annotator).count() == 1


def test_a_submission_is_the_same_one_after_a_reload(bench, annotator, expected):
    bench.route("**/submit", lambda route: (route.fetch(), route.abort()))
    press(bench, "j e Enter")
    expect(bench.locator("[data-save]")).to_contain_text("1 submission waits here")
    assert Verdict.objects.filter(labeler__user=annotator).count() == 1
    bench.unroute("**/submit")
    bench.reload()
    nothing_left(bench)
    expect(bench.locator(".step")).to_have_count(2)
    assert Verdict.objects.filter(labeler__user=annotator).count() == 1


def test_enter_twice_is_one_verdict(bench, annotator):
    posts = []
    bench.on("request", lambda r: "submit" in r.url and posts.append(r.url))
    press(bench, "j e Enter Enter Enter")
    bench.wait_for_url(SUBMITTED)
    assert Verdict.objects.filter(labeler__user=annotator).count() == 1
    assert len(posts) == 1


def test_offline_one_goes_on_with_the_next_item_and_both_arrive(
    bench, context, annotator, expected
):
    ahead(bench)
    context.set_offline(True)
    press(bench, "j e Enter")
    expect(bench.locator(".step")).to_have_count(2)
    expect(bench.locator("h1")).to_have_text("Label one solution")
    unhurried(bench)
    press(bench, "1 1 Enter")
    expect(bench.locator("[data-save]")).to_contain_text("offline")
    assert not Verdict.objects.filter(labeler__user=annotator).exists()
    context.set_offline(False)
    nothing_left(bench)
    said = Verdict.objects.filter(labeler__user=annotator).values_list("first_error", flat=True)
    assert sorted(said) == [-1, 1]


def test_after_the_session_ends_labels_are_kept_and_sent_on_return(bench, annotator):
    saved(bench)
    Session.objects.all().delete()
    press(bench, "1")
    expect(bench.locator("[data-save]")).to_have_text("⚠ signed out, kept here")
    press(bench, "2")
    bench.get_by_role("link", name="Sign in again").click()
    bench.get_by_label("Name").fill(annotator.username)
    bench.get_by_label("Password").fill(PASSWORD)
    bench.get_by_role("button", name="Sign in").click()
    expect(bench.locator(".step").nth(1)).to_contain_text("unsure")
    saved(bench)
    assert labels() == [1, 0, None, None]


@pytest.fixture
def other(bench, context, project):
    """The same item on another device, where something else was labeled and saved."""
    saved(bench)
    device = context.browser.new_context(
        base_url=bench.url.split("/p/")[0], storage_state=context.storage_state()
    )
    page = device.new_page()
    page.goto(reverse("annotate", args=[project.uid]))
    press(page, "1 2 n")
    page.keyboard.type("theirs")
    press(page, "Escape")
    saved(page)
    yield page
    device.close()


@pytest.mark.parametrize(
    ("choose", "chosen"),
    [
        ([], [1, 1, 1, None]),
        (["all of theirs"], [1, 0, None, None]),
        (["Step 2, saved elsewhere"], [1, 0, 1, None]),
    ],
)
def test_two_tabs_both_sides_are_shown_and_either_can_be_chosen(
    bench, other, expected, choose, chosen
):
    press(bench, "1 1 1")
    dialog = bench.get_by_role("dialog", name="Two drafts of this item")
    expect(dialog).to_be_visible()
    rows = dialog.locator("tbody tr")
    # step 1 agrees; steps 2 and 3 and the note on step 3 differ
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text("Step 2")
    assert rows.nth(0).locator("td").all_inner_texts() == ["✓\ncorrect", "?\nunsure"]
    assert [text.strip() for text in rows.nth(2).locator("td").all_inner_texts()] == ["—", "theirs"]
    assert labels() == [1, 0, None, None]
    for name in choose:
        if name == "all of theirs":
            dialog.get_by_role("button", name="all of these").nth(1).click()
        else:
            dialog.get_by_role("radio", name=name).check()
    dialog.get_by_role("button", name="Go on with what is chosen").click()
    saved(bench)
    assert labels() == chosen
    # the choice is one of the changes that undo takes back: both sides stay at hand
    for _ in range(4):
        press(bench, "u")
    assert states(bench)[1] == "no label"


def test_labels_kept_offline_meet_a_newer_draft_at_the_next_opening(
    bench, other, context, project, expected
):
    context.set_offline(True)
    press(bench, "3")
    expect(bench.locator("[data-save]")).to_have_text("⚠ offline, kept here")
    bench.close()
    context.set_offline(False)
    again = context.new_page()
    again.goto(reverse("annotate", args=[project.uid]))
    dialog = again.get_by_role("dialog", name="Two drafts of this item")
    dialog.get_by_role("button", name="Go on with what is chosen").click()
    saved(again)
    assert labels() == [-1, None, None, None]


def test_an_item_that_others_took_meanwhile_still_counts(bench, annotator):
    """The lease ran out while somebody thought: the labels are not thrown away."""
    saved(bench)
    item = current()
    Assignment.objects.filter(pk=item.pk).update(expires_at="2020-01-01T00:00:00Z")
    press(bench, "1 3 Enter")
    bench.wait_for_url(SUBMITTED)
    assert Verdict.objects.get(labeler__user=annotator).first_error == 1
