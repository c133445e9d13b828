"""A hand on the keyboard: labels one item in one of several ways and knows what must come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from playwright.sync_api import BrowserContext, Page, expect

from tests.functional.annotating import until

ON_ITEM = "() => document.querySelector('main[data-bench] .step.current') !== null"
UNHURRIED_MS = 450
"""An Enter sooner after an item came is taken for the second one of the same hand."""
SAVED = "() => document.querySelector('[data-save]').dataset.state === 'saved'"


@dataclass(slots=True)
class Meant:
    """What the hand meant to say of one item."""

    labels: list[int | None]
    notes: dict[str, str] = field(default_factory=dict)
    note: str = ""


def verdict(steps: int, first_error: int) -> list[int | None]:
    """Return the labels of "the first wrong step is this one", -1: none."""
    if first_error < 0:
        return [1] * steps
    return [1] * first_error + [-1] + [None] * (steps - first_error - 1)


class Hand:
    """Presses keys at a pace; `said` is what it meant to say, by the item's address."""

    def __init__(self, page: Page, *, pace: float, random: Random) -> None:
        self.page, self.random, self.pace = page, random, pace
        self.said: dict[str, Meant] = {}
        self.ways: dict[str, int] = {}
        self.stuck: list[str] = []

    @property
    def context(self) -> BrowserContext:
        """The browser's profile: both tabs are of one person."""
        return self.page.context

    def label(self, number: int) -> str:
        """Label the item on the page, submit it and go on to the next; return its address."""
        uid, steps = self.item()
        first_error = self.random.randrange(-1, steps)
        way = WAYS[number % len(WAYS)]
        self.ways[way.__name__] = self.ways.get(way.__name__, 0) + 1
        self.page.wait_for_timeout(UNHURRIED_MS)
        meant = Meant(verdict(steps, first_error))
        self.said[uid] = meant
        try:
            way(self, steps, first_error, meant)
            self.submit()
        except AssertionError as error:
            self.give_up(uid, f"{way.__name__}: {error}")
        return uid

    def give_up(self, uid: str, why: str) -> None:
        """Note that an item led nowhere, and begin anew with what the server gives."""
        self.stuck.append(f"{uid} {why}")
        self.said.pop(uid)
        self.context.set_offline(False)
        for other in self.context.pages:
            if other is not self.page:
                other.close()
        self.page.reload()

    def item(self) -> tuple[str, int]:
        """Wait for an item and return its address and its number of steps."""
        until(self.page, ON_ITEM, seconds=30)
        data = self.page.evaluate("() => ({ ...document.querySelector('main').dataset })")
        return data["uid"], int(data["steps"])

    def press(self, *keys: str) -> None:
        """Press keys one after the other at the hand's pace."""
        for key in keys:
            self.page.keyboard.press(key)
            self.page.wait_for_timeout(1000 * self.random.expovariate(1 / self.pace))

    def submit(self) -> None:
        """Press Enter until the next item is there: once for the item, once for its evidence."""
        self.press("Enter")
        until(self.page, "() => document.querySelector('main[data-shown]') !== null", seconds=30)
        self.page.wait_for_timeout(UNHURRIED_MS)
        self.press("Enter")

    def steps(self, steps: int, first_error: int) -> None:
        """Label step by step, one key each."""
        self.press(*"1" * (steps if first_error < 0 else first_error))
        if first_error >= 0:
            self.press("3")


def plainly(hand: Hand, steps: int, first_error: int, _: Meant) -> None:
    """Step by step."""
    hand.steps(steps, first_error)


def at_once(hand: Hand, steps: int, first_error: int, _: Meant) -> None:
    """The rest is correct; or the first error alone says all."""
    if first_error < 0:
        hand.press("a")
    else:
        hand.press(*"j" * first_error, "e")


def back_and_forth(hand: Hand, steps: int, first_error: int, _: Meant) -> None:
    """Everything undone, done again, and a slip of the finger taken back."""
    hand.steps(steps, first_error)
    done = steps if first_error < 0 else first_error + 1
    hand.press(*"u" * done, *["Shift+U"] * done)
    hand.press("k", "2", "u")


def with_notes(hand: Hand, steps: int, first_error: int, meant: Meant) -> None:
    """A note on the first step, one on the whole."""
    hand.press("n")
    hand.page.keyboard.type("not obvious: $1 + 1$")
    hand.press("Escape")
    hand.steps(steps, first_error)
    hand.press("Shift+N")
    hand.page.keyboard.type("12312e u j a whole note")
    hand.press("Escape")
    meant.notes["0"], meant.note = "not obvious: $1 + 1$", "12312e u j a whole note"


def reloading(hand: Hand, steps: int, first_error: int, _: Meant) -> None:
    """A reload within the quarter of a second after a key, before anything was sent."""
    half = max(0, first_error) // 2
    hand.press(*"1" * half)
    hand.page.reload()
    until(hand.page, ON_ITEM, seconds=30)
    hand.page.wait_for_timeout(UNHURRIED_MS)
    # a reload begins at the first step without a label
    hand.press(*"1" * ((steps if first_error < 0 else first_error) - half))
    if first_error >= 0:
        hand.press("3")


def offline(hand: Hand, steps: int, first_error: int, _: Meant) -> None:
    """Without the network, which comes back before the submission."""
    hand.context.set_offline(True)
    hand.steps(steps, first_error)
    hand.page.wait_for_timeout(1500)
    hand.context.set_offline(False)
    hand.page.wait_for_timeout(200)


def in_two_tabs(hand: Hand, steps: int, first_error: int, _: Meant) -> None:
    """Another tab labels the same item otherwise; this one's side is chosen when they differ."""
    other = hand.context.new_page()
    other.goto(hand.page.url)
    until(other, ON_ITEM, seconds=30)
    other.keyboard.press("2")
    until(other, SAVED)
    keys = ["1"] * (steps if first_error < 0 else first_error) + ["3"] * (first_error >= 0)
    hand.press(keys[0])
    dialog = hand.page.locator("#conflict")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="all of these").first.click()
    dialog.get_by_role("button", name="Go on").click()
    other.close()
    until(hand.page, SAVED)
    hand.press(*keys[1:])


WAYS: tuple[Callable[[Hand, int, int, Meant], None], ...] = (
    plainly, at_once, back_and_forth, plainly, with_notes, reloading, plainly, offline, at_once,
    in_two_tabs,
)  # fmt: skip


def lost(said: dict[str, Meant], kept: dict[str, Any]) -> dict[str, Any]:
    """Return what was meant and is not what the server keeps, by the item's address."""
    return {
        uid: {"meant": meant, "kept": kept.get(uid)}
        for uid, meant in said.items()
        if kept.get(uid) != (meant.labels, meant.notes, meant.note)
    }
