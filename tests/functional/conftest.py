"""A real browser before the real server. Needs Chromium: the CHROMIUM variable or one on PATH."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.signals import request_finished, request_started
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from labeling.domain.labels import LabelerKind, VerdictState
from labeling.services import labelers, verdicts
from tests import factories
from tests.functional.annotating import STEPS
from tests.functional.chromium import ARGUMENTS, chromium
from tests.functional.looks import SIZES, Look

# Playwright's synchronous API keeps an event loop running in this thread; Django's ORM would
# refuse to work beside it although nothing here is asynchronous.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

PASSWORD = "correct horse"
PATIENCE = 30_000
"""Milliseconds that the browser is waited for: machines are noisy. A test that holds waits less."""
expect.set_options(timeout=PATIENCE)
FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker("functional")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    if path is None:
        pytest.skip("needs Chromium: apt-get install chromium, or set CHROMIUM to its path")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield found
        found.close()


@pytest.fixture(autouse=True)
def _unfinished_requests(transactional_db) -> Iterator[None]:
    """Let the server finish before the tables are emptied: pages send their last words late."""
    running: set[int] = set()
    started = lambda environ, **_: running.add(threading.get_ident())  # noqa: E731
    finished = lambda **_: running.discard(threading.get_ident())  # noqa: E731
    request_started.connect(started, weak=False)
    request_finished.connect(finished, weak=False)
    yield
    time.sleep(0.15)  # a beacon of a closed page is on its way
    end = time.monotonic() + 5
    while running and time.monotonic() < end:
        time.sleep(0.02)
    request_started.disconnect(started)
    request_finished.disconnect(finished)


@pytest.fixture
def troubles() -> list[str]:
    """What the browser complained of; a test that expects complaints clears it."""
    return []


@pytest.fixture
def look() -> Look:
    """The window that `page` opens; a test may ask for others (tests.functional.looks)."""
    return Look("wide", "light")


@pytest.fixture
def context(
    browser: Browser, live_server, troubles: list[str], look: Look
) -> Iterator[BrowserContext]:
    """A fresh profile; at the end nothing may have been complained of."""
    width, height = SIZES[look.size]
    opened = browser.new_context(
        base_url=live_server.url,
        color_scheme=look.scheme,
        viewport={"width": width, "height": height},
    )
    opened.set_default_timeout(PATIENCE)
    opened.on("console", lambda m: m.type in {"error", "warning"} and troubles.append(m.text))
    opened.on("weberror", lambda e: troubles.append(str(e.error)))
    yield opened
    opened.close()
    assert troubles == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def sign_in() -> Callable[[Page, object], None]:
    def through_the_form(page: Page, user) -> None:
        page.goto(reverse("login"))
        page.get_by_label("Name").fill(user.username)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda address: "/login/" not in address)

    return through_the_form


@pytest.fixture
def dispute(transactional_db) -> Callable[..., object]:
    """Make a solution that MC passes and the judge faults at `judged` (0-based)."""

    def make(project, steps, judged=1, **fields):
        solution = factories.SolutionFactory(problem__project=project, steps=steps, **fields)
        common = {"by": project.created_by, "project": project, "config": {}}
        count = len(steps)
        said = {
            LabelerKind.MC: (-1, {"mc_k": [6] * count, "mc_n": [8] * count}),
            LabelerKind.JUDGE: (judged, {"critique": "The judge's critique of the step."}),
        }
        for kind, (first_error, more) in said.items():
            labeler = labelers.register(**common, kind=kind, name=f"some-{kind}")
            row = verdicts.NewVerdict(solution.pk, VerdictState.SCORED, first_error, fields=more)
            verdicts.record(by=project.created_by, labeler=labeler, verdicts=[row])
        return solution

    return make


@pytest.fixture
def bench(page: Page, project, annotator, dispute, sign_in) -> Page:
    """The annotate page of the first of two disputed items."""
    dispute(project, STEPS)
    dispute(project, ["Second item, one step.", "Its last step."])
    sign_in(page, annotator)
    page.goto(reverse("annotate", args=[project.uid]))
    expect(page.locator(".step")).to_have_count(4)
    return page
