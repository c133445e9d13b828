"""How pages look: the windows they must fit, what axe-core says of them, pictures for people."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Page

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
SIZES = {
    "wide": (1440, 900),
    "phone": (390, 844),
    "zoomed": (720, 450),  # what 1440 x 900 are at 200 %
}
SPILLED = """() => [...document.querySelectorAll(".topbar :is(summary, a, button)")]
  .filter((part) => part.clientWidth && getComputedStyle(part).overflowX === "visible")
  .filter((part) => part.scrollWidth > part.clientWidth + 1)
  .map((part) => part.innerText)"""
"""Words of the bar that run over what stands beside them."""
LAID_OVER = """() => {
  const boxes = [...document.querySelectorAll(".topbar > :not(nav), .topbar summary, .places-row")]
    .map((part) => [part, part.getBoundingClientRect()]).filter(([, box]) => box.width);
  return boxes.flatMap(([one, a], at) => boxes.slice(at + 1)
    .filter(([other]) => !one.contains(other) && !other.contains(one))
    .filter(([, b]) => a.left < b.right - 1 && b.left < a.right - 1
      && a.top < b.bottom - 1 && b.top < a.bottom - 1)
    .map(([other]) => `${one.innerText} | ${other.innerText}`));
}"""
"""Parts of the bar that lie on each other."""


class Look(NamedTuple):
    """A window of one of SIZES in the light or the dark theme; fixture `page` opens it."""

    size: str
    scheme: str

    def __str__(self) -> str:
        return f"{self.size}-{self.scheme}"


def in_looks(*names: str) -> pytest.MarkDecorator:
    """Run the test in each of the looks, named as in wide-dark."""
    return pytest.mark.parametrize("look", [Look(*name.split("-")) for name in names], ids=str)


in_every_look = in_looks("wide-light", "wide-dark", "phone-light", "phone-dark")


def audit(page: Page) -> list[str]:
    """Return what is wrong with the page as it is shown: to axe-core, and what does not fit."""
    page.evaluate(AXE)
    result = page.evaluate("axe.run({ resultTypes: ['violations'] })")
    said = [
        f"{v['id']}: {node['target']} {node['failureSummary']}"
        for v in result["violations"]
        for node in v["nodes"][:3]
    ]
    bar = [*page.evaluate(SPILLED), *page.evaluate(LAID_OVER)]
    return [*said, *beyond(page), *(f"in the bar: {text}" for text in bar)]


def audits(page: Page, addresses: Mapping[str, str]) -> dict[str, list[str]]:
    """Open each address; return by its name what is wrong there, where anything is."""
    found = {}
    for name, address in addresses.items():
        page.goto(address)
        found[name] = audit(page)
    return wrong(found)


def wrong(found: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Return the audits that found something."""
    return {name: said for name, said in found.items() if said}


def forgive_missing_page(troubles: list[str]) -> None:
    """Forget that a page was not found: a test that opened one on purpose says so."""
    troubles[:] = [text for text in troubles if "404" not in text]


def beyond(page: Page) -> list[str]:
    """Return by how much the page is wider than its window, if it is."""
    width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [f"{width} px wider than the window"] if width > 0 else []


def picture(page: Page, name: str) -> None:
    """Keep a picture for people to look at, where PICTURES names a folder."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder) / f"{name.replace('/', '-')}.png", full_page=True)
