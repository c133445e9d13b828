"""What assistive technology is told of the annotate page: each label, undo and redo in words."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.functional.annotating import press, unhurried, until

LISTEN = """() => {
  window.told = [];
  const place = document.querySelector("[role=status][data-announce]");
  new MutationObserver(() => window.told.push(place.textContent.trim()))
    .observe(place, { childList: true });
}"""


def told(page: Page, count: int) -> list[str]:
    """Wait for so many announcements and return them."""
    until(page, f"() => window.told.length >= {count}")
    return page.evaluate("window.told.splice(0)")


def test_every_label_undo_and_what_is_missing_are_announced_in_words(bench):
    bench.evaluate(LISTEN)
    press(bench, "1 2 u Control+y 3")
    assert told(bench, 5) == [
        "Step 1: correct.",
        "Step 2: unsure.",
        "Undone. Step 2: no label.",
        "Done again. Step 2: unsure.",
        "Step 2: wrong. First error: step 2.",
    ]
    press(bench, "u u u u")
    assert told(bench, 4)[-1] == "Nothing to undo."
    unhurried(bench)
    press(bench, "Enter")
    assert told(bench, 1) == ["4 of 4 steps to label."]
