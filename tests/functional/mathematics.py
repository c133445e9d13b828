"""Measure how much of the mathematics of a folder's texts the pages typeset.

`python -m tests.functional.mathematics FOLDER…`

Every string of every JSON and JSONL file is split as the pages split it; each distinct piece of
TeX goes through static/js/math.js in Chromium, as on a page. Prints one JSON line, and with
--failures each message of KaTeX with an example.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from labeling.domain.mathtext import Kind, Segment, segments
from tests.functional.chromium import ARGUMENTS, chromium

STATIC = Path(__file__).parents[2] / "static"
BATCH = 2000
PAGE = """<!doctype html><meta charset="utf-8">
<script src="https://pages.test/vendor/katex/katex.min.js"></script>
<script type="module">
  import { renderMath } from "https://pages.test/js/math.js";
  window.failures = async (pieces) => {
    const root = document.createElement("div");
    for (const [display, source] of pieces) {
      const span = document.createElement("span");
      span.className = "math";
      span.dataset.display = String(display);
      span.textContent = source;
      root.append(span);
    }
    renderMath(root);
    while (root.querySelector(".math:not(.rendered, .broken)"))
      await new Promise((resolve) => setTimeout(resolve, 10));
    return [...root.children].map((span) => (span.matches(".broken") ? span.title : null));
  };
</script>"""


def texts_in(path: Path) -> Iterator[str]:
    """Yield every string of a JSON or JSONL file."""
    raw = path.read_text(encoding="utf-8")
    documents = raw.splitlines() if path.suffix == ".jsonl" else [raw]
    for document in documents:
        if document.strip():
            yield from _strings(json.loads(document))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def pieces_of(paths: list[Path]) -> Counter[Segment]:
    """Count the pieces of mathematics; each text counts once however often it stands there."""
    texts = {text for path in paths for text in texts_in(path)}
    return Counter(
        segment
        for text in texts
        for segment in segments(text)
        if segment.kind in (Kind.INLINE, Kind.DISPLAY)
    )


def failures_of(pieces: list[Segment], browser: Browser) -> dict[Segment, str]:
    """Return the pieces that the page shows as source, with KaTeX's message."""
    page = browser.new_page()
    page.route("https://pages.test/**", _serve)
    page.goto("https://pages.test/")
    page.wait_for_function("window.failures !== undefined && window.katex !== undefined")
    found: dict[Segment, str] = {}
    for start in range(0, len(pieces), BATCH):
        part = pieces[start : start + BATCH]
        sent = [[piece.kind is Kind.DISPLAY, piece.source] for piece in part]
        said = page.evaluate("(pieces) => window.failures(pieces)", sent)
        found |= {piece: words for piece, words in zip(part, said, strict=True) if words}
    page.close()
    return found


def _serve(route: Any) -> None:
    name = route.request.url.removeprefix("https://pages.test/")
    if not name:
        route.fulfill(body=PAGE, content_type="text/html")
    else:
        route.fulfill(path=STATIC / name, content_type="text/javascript")


def main() -> None:
    """Measure the folders or files named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--failures", action="store_true")
    asked = parser.parse_args()
    files = [
        file
        for path in asked.paths
        for file in ([path] if path.is_file() else sorted(path.rglob("*.json*")))
    ]
    counted = pieces_of(files)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        failed = failures_of(list(counted), browser)
        browser.close()
    total, lost = counted.total(), sum(counted[piece] for piece in failed)
    share = 1 - lost / total if total else None
    print(json.dumps({"files": len(files), "pieces": total, "failed": lost, "typeset": share}))
    if asked.failures:
        for piece, words in sorted(failed.items(), key=lambda item: item[1]):
            print(json.dumps({"why": words, "source": piece.source}, ensure_ascii=False))


if __name__ == "__main__":
    main()
