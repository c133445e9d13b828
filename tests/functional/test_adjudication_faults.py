"""What an adjudicator chose and wrote is kept: network, session and page are taken away."""

from __future__ import annotations

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse
from playwright.sync_api import expect

from labeling.models import Decision
from tests.functional.conftest import PASSWORD
from tests.functional.test_adjudication import disputes  # noqa: F401 - a fixture
from tests.functional.test_annotate_storage import DENIED

REASON = "a third of 18 is 6, but of the pink ones"


@pytest.fixture
def expected(troubles):
    """The browser reports each request that a test cuts off: those are no complaint."""
    yield
    troubles.clear()


@pytest.fixture
def deciding(page, project, adjudicator, disputes, sign_in):  # noqa: F811
    """The page of a dispute, with a choice that nobody made before and a reason."""
    sign_in(page, adjudicator)
    page.goto(reverse("solution", args=[project.uid, disputes[0].uid]))
    page.keyboard.press("k")
    page.keyboard.press("e")
    page.keyboard.press("r")
    page.keyboard.type(REASON)
    return page


def as_it_was(page) -> None:
    expect(page.locator("#reason")).to_have_value(REASON)
    expect(page.get_by_label("Step 2 is the first error")).to_be_checked()
    expect(page.locator("[data-choice]")).to_contain_text("step 2 is the first error")


def adjudicated(page) -> None:
    page.get_by_role("button", name="Adjudicate").click()
    expect(page.get_by_role("status")).to_have_text("The solution is adjudicated.")
    assert Decision.objects.filter(state="adjudicated", first_error=1).count() == 1


def test_a_reload_keeps_choice_and_reason(deciding):
    deciding.reload()
    as_it_was(deciding)
    adjudicated(deciding)


def test_after_the_session_ends_choice_and_reason_are_there_again(deciding, adjudicator, expected):
    Session.objects.all().delete()
    deciding.keyboard.press("Control+Enter")
    deciding.get_by_label("Name").fill(adjudicator.username)
    deciding.get_by_label("Password").fill(PASSWORD)
    deciding.get_by_role("button", name="Sign in").click()
    as_it_was(deciding)
    adjudicated(deciding)


def test_another_person_in_the_same_tab_finds_nothing_chosen(deciding, owner, expected):
    Session.objects.all().delete()
    deciding.keyboard.press("Control+Enter")
    deciding.get_by_label("Name").fill(owner.username)
    deciding.get_by_label("Password").fill(PASSWORD)
    deciding.get_by_role("button", name="Sign in").click()
    expect(deciding.locator("[data-choice]")).to_have_text("nothing chosen yet")
    expect(deciding.locator("#reason")).to_have_value("")


def test_without_network_nothing_goes_and_the_page_says_so(deciding, context, expected):
    context.set_offline(True)
    deciding.keyboard.press("Control+Enter")
    expect(deciding.get_by_role("alert")).to_contain_text("nothing was sent")
    as_it_was(deciding)
    context.set_offline(False)
    adjudicated(deciding)


def test_a_server_that_is_away_takes_nothing_along(deciding, expected):
    deciding.route("**/adjudicate**", lambda route: route.abort())
    deciding.keyboard.press("Control+Enter")
    deciding.wait_for_timeout(500)
    deciding.unroute("**/adjudicate**")
    deciding.go_back()
    as_it_was(deciding)
    adjudicated(deciding)


def test_where_the_browser_forbids_storage_one_decides_all_the_same(deciding, expected):
    deciding.add_init_script(DENIED)
    deciding.reload()
    deciding.keyboard.press("2")
    expect(deciding.locator("[data-choice]")).to_contain_text("as LLM judge")


def test_what_was_decided_is_not_chosen_again(deciding):
    adjudicated(deciding)
    deciding.keyboard.press("u")
    expect(deciding.get_by_role("status")).to_contain_text("taken back")
    expect(deciding.locator("#reason")).to_have_value("")
    expect(deciding.locator("[data-choice]")).to_have_text("nothing chosen yet")
