"""What tests of the annotate page do and read, in its users' words."""

from __future__ import annotations

import time
from typing import Any

from playwright.sync_api import Page, expect

from labeling.models import Assignment

STEPS = ["Start: 4 + 4 = 8.", "Then 8 * 2 = 15.", "And 15 + 1 = 16.", "The answer is 16."]


def press(page: Page, keys: str) -> None:
    """Press keys one after the other, as named by Playwright."""
    for key in keys.split():
        page.keyboard.press(key)


def states(page: Page) -> list[str]:
    """Return the words beside the steps; of an open step away from the focus too."""
    return [text.strip("✓✗?·\n ") for text in page.locator("[data-state] .badge").all_inner_texts()]


def saved(page: Page) -> None:
    """Wait until the page says that the server has everything."""
    expect(page.locator("[data-save]")).to_have_text("✓ saved")


def until(page: Page, expression: str, seconds: float = 10) -> None:
    """Wait until the page says yes. (The pages' policy forbids Playwright's own way to wait.)"""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"never came true: {expression}"
        page.wait_for_timeout(30)


def nothing_left(page: Page) -> None:
    """Wait until the browser keeps no labels that the server has not."""
    until(page, "() => !Object.keys(localStorage).some(k => k.startsWith('annotator:item:'))")


def ahead(page: Page) -> None:
    """Wait until the next item is in the browser and the page takes an Enter for meant."""
    until(
        page,
        "() => performance.getEntriesByType('resource')"
        ".some(r => r.name.endsWith('/ahead') && r.responseEnd)",
    )
    page.evaluate("() => performance.clearResourceTimings()")
    unhurried(page)


def unhurried(page: Page) -> None:
    """Wait until an Enter is no longer taken for the second one of the same hand."""
    page.wait_for_timeout(450)


def current(**fields: Any) -> Assignment:
    """Return the open item on the page, not the one ahead of it."""
    return Assignment.objects.get(submitted_at=None, skipped_at=None, ahead=False, **fields)


def labels() -> list[int | None] | None:
    """Return the labels of the open item that the server has."""
    return current().draft.get("labels")


def focused(page: Page) -> int:
    """Return the number of the step in focus."""
    return int(page.locator(".step.current .step-number").inner_text())
