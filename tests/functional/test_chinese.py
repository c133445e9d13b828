"""The pages in Chinese: chosen by a button, no English left over, the layout holds."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from labeling.models import (
    PRM,
    AnswerCorrection,
    Engine,
    Labeler,
    Problem,
    Project,
    Run,
    Snapshot,
    Solution,
    User,
)
from tests.functional.looks import beyond, forgive_missing_page, in_looks, picture
from tests.functional.test_looks import addresses

__all__ = ["addresses"]

WORDS = frozenset(
    re.findall(
        r"\w+",
        """about accuracy adjudicate adjudicated adjudication agreement annotate annotator answer
        asked audit back before begin cancel change clear close completion confirm consensus
        correct cost dark data decided decision delete discard disputed distance download draft
        dry earlier engine error exam export failed filter final first found freeze generator
        gold guidelines have help history import imports items judge judges keys label labeler
        labels later left light line log machine made more name never new next none note nothing
        open overview password people person policy price problem problems progress project
        projects queue read ready reason reference refused reject rejected report retry right
        role rows run running runs save saved score scored settings share show skip snapshot
        solution solutions source speed split start state step steps stop submit submitted test
        the this time today tokens train training uploaded undo unscored unsure verdict verdicts
        version votes wait waiting what with wrong yes you your""",
    )
)
"""Words of the English pages. Texts of data sets and people, names, keys and code are let out."""

CHINESE = re.compile(r"[\u4e00-\u9fff]")
SENTENCE = re.compile(r"[A-Za-z]+ [a-z]+ [a-z]+")
"""English within a Chinese text: three words are no name of an option."""

DASHBOARDS = ("labels", "audit", "history", "annotators")

OWN_WORDS = (
    "code, kbd, pre, script, noscript, style, textarea, .prose, .math, .katex, .document, .hash, "
    "[lang='en'], .changes > p:not(.folded), td.title, .topbar-name, .menu > summary"
)

READ = """own => {
  const texts = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const parent = walk.currentNode.parentElement;
    if (parent.closest(own)) continue;
    texts.push(walk.currentNode.data);
  }
  for (const e of document.querySelectorAll("[title], [aria-label], [placeholder]")) {
    if (e.closest(own)) continue;
    for (const name of ["title", "aria-label", "placeholder"]) {
      texts.push(e.getAttribute(name) ?? "");
    }
  }
  return texts;
}"""


def english(page: Page, names: set[str]) -> list[str]:
    """Return the texts of the page that hold an English page word, names of people let out."""
    found = []
    for text in page.evaluate(READ, OWN_WORDS):
        for name in names:
            text = text.replace(name, "")
        alone = not CHINESE.search(text) and set(re.findall(r"[a-z]+", text.lower())) & WORDS
        if alone or SENTENCE.search(text):
            found.append(text.strip())
    return found


@pytest.fixture
def names(addresses, owner) -> set[str]:
    """What people called things: the same in every language."""
    found = {user.username for user in User.objects.all()}
    found |= set(Solution.objects.values_list("generator", flat=True)) - {""}
    found |= set(Problem.objects.values_list("source", flat=True)) - {""}
    found |= set(Problem.objects.values_list("statement", flat=True))
    found |= set(AnswerCorrection.objects.values_list("reason", flat=True)) - {""}
    for model in (Engine, Labeler, Project, Snapshot):
        found |= set(model.objects.values_list("name", flat=True))
    found |= {str(row.training_run.name) for row in PRM.objects.all()}
    found |= set(Run.objects.exclude(reason="").values_list("reason", flat=True))
    return found | {"rows.jsonl", "not valid JSON", "something odd"}


def choose_chinese(page: Page, owner) -> None:
    page.goto(reverse("tokens"))
    page.locator("summary", has_text=owner.username).click()
    page.get_by_role("button", name="简体中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")


@in_looks("wide-light", "phone-dark")
def test_no_english_is_left_and_the_layout_holds(
    look, page, troubles, addresses, names, owner, sign_in
):
    sign_in(page, owner)
    choose_chinese(page, owner)
    found = {}
    for name, address in {**addresses, **more_addresses(addresses)}.items():
        page.goto(address)
        expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
        found[name] = [*english(page, names), *beyond(page)]
        picture(page, f"chinese-{name}-{look}")
    page.goto(addresses["annotate"])
    for keys in ("1", "u", "3", "Escape", "b", "Escape", "?", "Escape", "r", "Escape", "s"):
        page.keyboard.press(keys)
        found[f"annotate after {keys}"] = english(page, names)
    left = [f"{name}: {text}" for name, texts in found.items() for text in texts]
    assert not left, "\n".join(left)
    forgive_missing_page(troubles)  # "nowhere"


def more_addresses(addresses: dict[str, str]) -> dict[str, str]:
    overview = addresses["overview"]
    return {
        "judges": f"{overview}judges/",
        "judge": f"{overview}judges/paper-v1/",
        **{f"new {kind}": f"{overview}runs/new?kind={kind}" for kind in ("mc", "judge", "score")},
        "engines": f"{overview}runs/engines",
        **{name: f"{overview}agreement/{name}" for name in DASHBOARDS},
        "agreement": f"{overview}agreement/",
        **{name: f"{overview}{name}/" for name in ("quality", "quality/gold", "quality/exam")},
        "exam": f"{overview}exam/",
        "settings": f"{overview}settings/",
        "adjudicate": f"{overview}adjudicate/",
    }


def test_the_login_page_speaks_the_browser_s_language(browser: Browser, live_server):
    context = browser.new_context(base_url=live_server.url, locale="zh-CN")
    page = context.new_page()
    page.goto(reverse("login"))
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    assert english(page, set()) == []
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    context.close()


def test_scripts_speak_the_page_s_language(page, owner, sign_in):
    sign_in(page, owner)
    choose_chinese(page, owner)
    said = """async () => {
      const { t, n } = await import("/static/js/i18n.js");
      return [t("no such message {x}", { x: "{y}" }), n("{count} of them", "{count} of many", 2)];
    }"""
    assert page.evaluate(said) == ["no such message {y}", "2 of many"]
