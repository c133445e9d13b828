"""Runs in a real browser: their looks, the estimate that follows the form, the page that follows
the work."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from labeling.models import Run
from tests import factories
from tests.functional.looks import audit, audits, in_every_look

MODEL = "org/model-7b"


@pytest.fixture
def engine(transactional_db):
    return factories.EngineFactory(name="gpu", model=MODEL, prompt_price=1, completion_price=4)


@pytest.fixture
def run(project, engine, dispute):
    """A running MC run whose queue nobody serves, with failures and a refuted verdict."""
    dispute(project, ["Take $x = 2$.", "So $x^2 = 5$.", "Answer: 5"])
    judge = project.labelers.get(kind="judge")
    config = {"model": MODEL, "n": 8, "mode": "consensus", "judge": judge.uid, "audit_share": 0.05}
    labeler = factories.LabelerFactory(project=project, name="MC of 8, consensus · model-7b")
    run = factories.RunFactory(labeler=labeler, engine=engine, config=config)
    Run.objects.filter(pk=run.pk).update(created_at=timezone.now() - timedelta(hours=1))
    long_ago = timezone.now() - timedelta(minutes=3)
    factories.QueuePresenceFactory(queue="mc", seen_at=long_ago)
    factories.QueuePresenceFactory(queue="default", seen_at=timezone.now() + timedelta(hours=1))
    for reason in ("the engine refused: " + "too long " * 40, "cut off"):
        unscored(run, reason)
    factories.VerdictFactory(
        solution__problem__project=project, labeler=labeler, state="refuted", first_error=None,
        refuted_at=1, reason="refutes", completions=4, exhaustive_completions=16,
    )  # fmt: skip
    return run


def unscored(run, reason):
    factories.VerdictFactory(
        solution__problem__project=run.project, labeler=run.labeler, state="unscored",
        first_error=None, reason=reason,
    )  # fmt: skip


@pytest.fixture
def addresses(run, project, engine):
    factories.EngineFactory(name="prm", kind="pooling", model="org/prm")
    factories.RunFactory(labeler=run.labeler, state="failed", reason="no engine " * 30)
    uid = project.uid
    form = reverse("new_run", args=[uid])
    return {
        "runs": reverse("runs", args=[uid]),
        "run": reverse("run", args=[uid, run.uid]),
        "engines": reverse("engines", args=[uid]),
        "mistaken": f"{form}?kind=mc&n=0",
        **{kind: f"{form}?kind={kind}" for kind in ("generate", "mc", "judge", "score")},
    }


@in_every_look
def test_pages_of_runs_are_accessible_and_fit(page: Page, addresses, owner, sign_in):
    sign_in(page, owner)
    assert audits(page, addresses) == {}
    page.goto(addresses["mc"])
    page.get_by_label("consensus").check()
    assert audit(page) == []


def test_the_estimate_follows_the_form_and_nothing_starts(page, run, project, owner, sign_in):
    before = Run.objects.count()
    sign_in(page, owner)
    page.goto(reverse("new_run", args=[project.uid]) + "?kind=mc")
    estimate = page.locator("#estimate")
    page.get_by_label("exhaustive").check()
    # eight completions after two of the three steps of each of four solutions
    expect(estimate).to_contain_text("64")
    page.get_by_label("Completions per step").fill("2")
    expect(estimate).to_contain_text("16")
    page.get_by_label("Completions per step").fill("0")
    expect(estimate).to_contain_text("Completions per step: Ensure")
    assert Run.objects.count() == before


def test_fields_of_one_mode_are_shown_with_that_mode_alone(page, run, project, owner, sign_in):
    sign_in(page, owner)
    page.goto(reverse("new_run", args=[project.uid]) + "?kind=mc")
    judge = page.get_by_label("Judge", exact=True)
    page.get_by_label("hard:").check()
    expect(judge).to_be_hidden()
    page.get_by_label("consensus:").check()
    expect(judge).to_be_visible()


def test_a_run_is_started_from_the_form_and_cancelled_by_its_name(
    page, run, project, owner, sign_in
):
    sign_in(page, owner)
    page.goto(reverse("new_run", args=[project.uid]) + "?kind=judge")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("paper-v1 · model-7b")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.accept()))
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".run-head .badge")).to_contain_text("cancelled")
    assert "paper-v1 · model-7b" in asked[0]


def test_the_page_of_a_run_follows_the_work_and_keeps_the_focus(page, run, project, owner, sign_in):
    sign_in(page, owner)
    page.goto(reverse("run", args=[project.uid, run.uid]))
    live = page.locator("#run-live")
    expect(live).to_contain_text("No worker has served the queue mc for 3 minutes.")
    page.get_by_role("button", name="Pause").focus()
    expect(live).to_contain_text("3 of 4")
    unscored(run, "cut off")
    expect(live).to_contain_text("4 of 5")
    expect(page.get_by_role("button", name="Pause")).to_be_focused()
    Run.objects.filter(pk=run.pk).update(state="done")
    expect(live).to_contain_text("done")
    expect(live).not_to_have_attribute("hx-trigger", "every 2s")


def test_one_reason_is_retried_from_the_page(page, run, project, owner, sign_in):
    sign_in(page, owner)
    page.goto(reverse("run", args=[project.uid, run.uid]))
    page.get_by_role("button", name="Retry these 1: cut off").click()
    expect(page.locator("#failures tbody tr")).to_have_count(1)
    expect(page.locator("#failures")).not_to_contain_text("cut off")
