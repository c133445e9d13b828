"""Adjudicating in a real browser: by the keyboard alone, and nothing typed is lost."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from labeling.models import AnswerCorrection, Decision, Rollout, Verdict
from labeling.services import decisions, labelers
from tests import factories
from tests.functional.looks import SIZES, audit, beyond, in_every_look, in_looks, wrong
from workers import correcting

STEPS = [
    "Sue has $18$ pink flamingos.",
    "They take back one third: $18 / 3 = 6$.",
    "So there are $18 - 6 + 18 = 32$ pink ones.",
    "She has $32 - 6 = 26$ more pink ones. Answer: 26",
]


@pytest.fixture
def disputes(project, dispute):
    """Two solutions on which two people, Monte Carlo and the judge disagree."""
    return [_disputed(project, dispute) for _ in range(2)]


def _disputed(project, dispute):
    solution = dispute(project, STEPS, judged=2)
    mc = project.labelers.get(kind="mc")
    for sample in range(8):
        right = sample < 6
        factories.RolloutFactory(
            solution=solution, labeler=mc, step=2, sample=sample, correct=right,
            text=f"Then $32 - 8 = {24 if right else 26}$. Answer: {24 if right else 26}",
            answer="24" if right else "26",
        )  # fmt: skip
    for name, first_error in (("Ben", 2), ("Carla", 3)):
        user = factories.MembershipFactory(project=project, user__username=_new(name)).user
        factories.VerdictFactory(
            solution=solution,
            labeler=labelers.person(by=user, project=project),
            first_error=first_error,
            comments={"steps": {"2": f"{name} looked twice."}},
        )
    decisions.refresh(project=project, solutions=[solution])
    return solution


def _new(name: str) -> str:
    return f"{name}-{Verdict.objects.count()}"


def test_the_whole_loop_by_the_keyboard(page, project, adjudicator, disputes, sign_in, troubles):
    sign_in(page, adjudicator)
    page.goto(reverse("adjudication", args=[project.uid]))
    page.keyboard.press("Enter")
    page.wait_for_url("**/solutions/**")
    expect(page.locator("#step-3")).to_be_focused()  # the first step in question
    expect(page.locator("#step-3 .rollout").first).to_be_visible()
    expect(page.locator("#step-3 > td > .rollouts > .telling > .rollout")).to_have_count(4)
    choice = page.locator("[data-choice]")
    page.keyboard.press("2")
    expect(choice).to_contain_text("step 3 is the first error · as LLM judge")
    expect(choice).to_contain_text("Annotator Ben")
    page.keyboard.press("0")
    expect(choice).to_contain_text("no step is wrong · as Monte Carlo")
    page.keyboard.press("k")
    page.keyboard.press("e")
    expect(choice).to_contain_text("step 2 is the first error · nobody said so")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("against all needs a reason")
    expect(page.get_by_label("Step 2 is the first error")).to_be_checked()
    troubles.clear()  # the browser notes the refusal
    page.keyboard.press("r")
    page.keyboard.type("a third of 18 is 6, but of the pink ones")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("status")).to_have_text("The solution is adjudicated.")
    page.keyboard.press("u")
    expect(page.get_by_role("status")).to_contain_text("taken back")
    page.keyboard.press("4")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("The solution is adjudicated.")
    done = page.url
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "/solutions/" in address and address != done)
    page.keyboard.press("x")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("The solution is discarded.")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing waits for an adjudicator.")).to_be_visible()
    found = {(d.state, d.first_error) for d in Decision.objects.filter(project=project)}
    assert found == {("adjudicated", 3), ("discarded", None)}
    assert Verdict.objects.get(state="rejected").reason_code == "bad_steps"


def test_keys_are_chosen_in_the_help_and_hold_on_buttons_and_pages(
    page, project, adjudicator, disputes, sign_in
):
    sign_in(page, adjudicator)
    page.goto(reverse("solution", args=[project.uid, disputes[0].uid]))
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    dialog.get_by_role("button", name="Change the key of side 2").click()
    expect(dialog.get_by_role("status")).to_contain_text("Press the key for “side 2”")
    page.keyboard.press("x")  # that of "discard", which takes the old one
    expect(dialog.get_by_role("status")).to_have_text("✓ saved; “discard the solution” is now on 2")
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    expect(page.locator("[data-shortcut=discard]")).to_have_text("2 Discard")
    expect(page.locator("[data-shortcut=discard]")).to_have_attribute("aria-keyshortcuts", "2")
    page.keyboard.press("x")
    expect(page.locator("[data-choice]")).to_contain_text("as LLM judge")
    page.reload()
    page.keyboard.press("x")
    expect(page.locator("[data-choice]")).to_contain_text("as LLM judge")
    page.keyboard.press("2")
    expect(page.get_by_role("dialog", name="Discard the solution")).to_be_visible()


def test_single_keys_can_be_turned_off_where_one_decides(
    page, project, adjudicator, disputes, sign_in
):
    sign_in(page, adjudicator)
    page.goto(reverse("solution", args=[project.uid, disputes[0].uid]))
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    dialog.get_by_label("Single keys work").uncheck()
    expect(dialog.get_by_role("status")).to_have_text("✓ saved")
    page.keyboard.press("Escape")
    expect(page.locator(".decide kbd").first).not_to_be_visible()
    page.keyboard.press("2")
    page.keyboard.press("ArrowDown")  # arrows always move
    expect(page.locator("#step-4")).to_be_focused()
    expect(page.locator("[data-choice]")).to_have_text("nothing chosen yet")
    page.goto(reverse("adjudication", args=[project.uid]))
    way = page.locator("[data-next]")
    expect(way).to_have_text("decide the first one", use_inner_text=True)
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    assert page.url.endswith("/adjudicate/")


def test_what_is_typed_outlives_a_reload(page, project, adjudicator, disputes, sign_in):
    sign_in(page, adjudicator)
    page.goto(reverse("solution", args=[project.uid, disputes[0].uid]))
    page.keyboard.press("r")
    page.keyboard.type("half a thought")
    page.reload()
    expect(page.locator("#reason")).to_have_value("half a thought")


@in_every_look
def test_the_pages_are_accessible_and_fit(page, project, adjudicator, disputes, sign_in):
    sign_in(page, adjudicator)
    page.goto(reverse("adjudication", args=[project.uid]))
    found = {"queue": audit(page)}
    page.goto(reverse("solution", args=[project.uid, disputes[0].uid]))
    found["deciding"] = audit(page)
    for keys in ("2", "?", "Escape", "x"):
        page.keyboard.press(keys)
        found[f"after {keys}"] = audit(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Adjudicate").click()
    expect(page.get_by_role("status")).to_be_visible()
    found["decided"] = audit(page)
    assert wrong(found) == {}


@in_looks("zoomed-light")
@pytest.mark.parametrize("height", [450, 900])
def test_at_twice_the_size_nothing_is_hidden(height, page, project, adjudicator, disputes, sign_in):
    page.set_viewport_size({"width": SIZES["zoomed"][0], "height": height})
    sign_in(page, adjudicator)
    page.goto(reverse("solution", args=[project.uid, disputes[0].uid]))
    assert beyond(page) == []
    bar = page.locator(".decide").bounding_box()
    page.get_by_label("Step 4 is the first error").check()
    expect(page.locator("[data-choice]")).to_contain_text("step 4")
    assert bar["height"] < height / 2


def test_rollouts_beyond_those_counted_are_not_shown(page, project, adjudicator, disputes, sign_in):
    mc = project.labelers.get(kind="mc")
    Rollout.objects.filter(solution=disputes[0]).delete()
    for sample in range(10):
        factories.RolloutFactory(
            solution=disputes[0], labeler=mc, step=2, sample=sample, text=f"sample {sample}"
        )
    sign_in(page, adjudicator)
    page.goto(reverse("solution", args=[project.uid, disputes[0].uid]))
    page.get_by_text("6 more completions").click()
    expect(page.locator("#step-3 .rollout")).to_have_count(8)  # n = 8


def test_completions_of_other_steps_come_when_they_are_opened(
    page, project, adjudicator, disputes, sign_in
):
    mc = project.labelers.get(kind="mc")
    factories.RolloutFactory(
        solution=disputes[0], labeler=mc, step=0, sample=0, text="So $\\frac{18}{3}$ are blue."
    )
    sign_in(page, adjudicator)
    page.goto(reverse("solution", args=[project.uid, disputes[0].uid]))
    expect(page.get_by_text("are blue.")).to_have_count(0)
    for key in "kko":
        page.keyboard.press(key)
    expect(page.locator("#step-1 .rollout .katex .mfrac")).to_be_visible()
    expect(page.locator("#step-1")).to_be_focused()


def test_a_reference_answer_is_corrected_by_the_keyboard(
    page, project, adjudicator, disputes, sign_in
):
    sign_in(page, adjudicator)
    page.goto(reverse("solution", args=[project.uid, disputes[0].uid]))
    page.keyboard.press("c")
    page.keyboard.press("Control+a")
    page.keyboard.type("26")
    page.keyboard.press("Tab")
    page.keyboard.type("32 - 6 is 26")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("A worker grades every answer")
    assert audit(page) == []
    made = AnswerCorrection.objects.get()
    correcting.carry_out(by=adjudicator, uid=made.uid)
    expect(page.get_by_role("status")).to_contain_text("Nothing has changed yet")
    # 6 of the 8 completions say 24 and were stored as right, 2 say 26 and were stored as wrong
    expect(page.locator(".effects")).to_contain_text("8 of 8 graded otherwise")
    assert audit(page) == []
    page.get_by_role("button", name="Correct the answer").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("A worker carries it out")
    correcting.carry_out(by=adjudicator, uid=made.uid)
    expect(page.get_by_role("status")).to_contain_text("This is what has changed")
    assert audit(page) == []
