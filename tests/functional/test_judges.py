"""A manager edits a wording, sees what would be sent, saves it and tries it on the tiny model."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from demo.world import problems, reference_steps
from labeling.models import JudgePrompt, JudgeTrial, Verdict
from tests import factories
from tests.functional.looks import audit
from workers import tasks
from workers.pipeline.options import CHECKPOINT


@pytest.fixture(autouse=True)
def silent_door(monkeypatch) -> None:
    """No worker serves this test's database."""
    monkeypatch.setattr("labeling.dispatch.ring", lambda task, *args, **more: None)


@pytest.fixture
def solutions(project):
    """A right solution, and one whose first line is wrong, of the sample world."""
    made = []
    for number, world in enumerate(problems(7, 2)):
        steps = list(reference_steps(world.statement))
        if number:
            steps[0] = f"{steps[0][:-1]}{(int(steps[0][-1]) + 3) % 10}"
        problem = factories.ProblemFactory(
            project=project, statement=world.statement, answer=world.answer
        )
        made.append(factories.SolutionFactory(problem=problem, steps=steps))
    return made


def test_a_wording_is_edited_previewed_saved_and_tried(
    page, project, manager, solutions, sign_in, troubles
):
    factories.EngineFactory(name="tiny", kind="transformers", model=str(CHECKPOINT), options={})
    sign_in(page, manager)
    page.goto(reverse("judges", args=[project.uid]))
    page.get_by_role("link", name="check-v1").click()
    sent = page.locator("#preview .sent")
    expect(sent).to_contain_text(f"Problem: {solutions[0].problem.statement}")

    text = page.get_by_label("Text")
    text.fill("{problem} without the other place")
    expect(page.locator("#preview")).to_contain_text("hold {solution} exactly once, not 0 times")
    text.fill("Problem: {problem}\n\n{solution}")
    expect(page.locator("#preview")).to_contain_text("a model goes on with the solution")
    text.press_sequentially("Check:")
    expect(sent).to_have_text(
        "\n\n".join([f"Problem: {solutions[0].problem.statement}", *solutions[0].steps, "Check:"])
    )
    page.get_by_role("button", name="Next").click()
    expect(sent).to_contain_text(solutions[1].problem.statement)
    page.get_by_label("boxed number").check()
    expect(sent).to_contain_text(f"<paragraph_0>\n{solutions[1].steps[0]}")
    expect(sent).to_contain_text(solutions[1].problem.statement)  # still the second one
    page.get_by_label("checks").check()

    page.get_by_role("button", name="Save").click()
    expect(page.locator("form#editor .errorlist")).to_have_text("Give the wording a name.")
    troubles.clear()  # Chromium complains of the status 400
    page.get_by_label("Name").fill("own")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("own-v1 is saved.")
    prompt = JudgePrompt.objects.get()
    assert (prompt.text, prompt.reply) == ("Problem: {problem}\n\n{solution}Check:", "checks")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Nothing changed")

    page.get_by_label("Longest reply").fill("48")
    page.get_by_role("button", name="Try it").click()
    replies = page.locator("#replies")
    expect(replies).to_contain_text("Waiting for a worker of the queue judge")
    tasks.try_judge(JudgeTrial.objects.get().uid)
    expect(replies.locator(".totals")).to_contain_text("2 of 2 replies")
    first, second = replies.locator("article").all()
    expect(first.locator(".badge").first).to_have_text("✓no error")
    expect(second.locator(".badge").first).to_have_text("✗step 1")
    expect(second.locator(".sent")).to_contain_text("Step 1: wrong")
    assert replies.get_attribute("hx-trigger") is None
    assert not Verdict.objects.exists()
    assert audit(page) == []


def test_a_trial_that_no_worker_takes_says_so_and_a_failed_one_why(
    page, project, viewer, solutions, sign_in
):
    trial = factories.JudgeTrialFactory(project=project, solutions=[s.uid for s in solutions])
    JudgeTrial.objects.filter(pk=trial.pk).update(created_at="2026-01-05T00:00:00Z")
    sign_in(page, viewer)
    page.goto(reverse("judge_trial", args=[project.uid, trial.uid]))
    expect(page.locator("#replies")).to_contain_text("No worker took it within 30 s")
    expect(page.locator("#replies")).to_contain_text("celery -A annotator.celery worker")
    JudgeTrial.objects.filter(pk=trial.pk).update(
        state="failed", reason="no such model", finished_at="2026-01-05T00:01:00Z"
    )
    expect(page.locator("#replies")).to_contain_text("Failed: no such model")
    expect(page.get_by_role("link", name="Change and try again")).to_have_count(0)


def test_a_viewer_reads_wordings_and_cannot_change_them(page, project, viewer, sign_in):
    sign_in(page, viewer)
    page.goto(reverse("judge", args=[project.uid, "paper-v1"]))
    expect(page.get_by_label("Text")).to_have_js_property("readOnly", True)
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    expect(page.get_by_role("button", name="Try it")).to_have_count(0)
