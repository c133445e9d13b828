"""Every message that the code marks for translation, by domain: templates, Python, JavaScript."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from babel.messages import Catalog
from babel.messages.extract import extract
from django.utils.translation.template import templatize

from annotator.catalogs.enumerations import shown
from annotator.catalogs.refusals import refusals

ROOT = Path(__file__).resolve().parents[2]
PAGES, SCRIPTS = "django", "djangojs"

_GETTEXT = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
_DOMAIN = {"Phrase": None, "marked": None}
"""Plain Python's: labeling.domain.phrases."""
_SCRIPTS = {"t": None, "n": (1, 2)}
"""JavaScript's: static/js/i18n.js."""


def messages_of(domain: str) -> Catalog:
    """Return the messages of the pages or of the scripts, each with the files that hold it."""
    found = Catalog(charset="utf-8")
    for path, said, context in _extracted(domain):
        found.add(said, context=context, locations=[(path, 0)])
    return found


def _extracted(domain: str) -> Iterator[tuple[str, Any, str | None]]:
    if domain == PAGES:
        yield from ((path, word, None) for path, word in shown())
    for path in _files(domain):
        name = path.relative_to(ROOT).as_posix()
        for said, context in _of_file(path):
            yield name, said, context


def _files(domain: str) -> Iterator[Path]:
    if domain == SCRIPTS:
        yield from sorted((ROOT / "static" / "js").rglob("*.js"))
        return
    yield from sorted((ROOT / "templates").rglob("*.html"))
    for folder in ("annotator", "labeling"):
        yield from sorted((ROOT / folder).rglob("*.py"))


def _of_file(path: Path) -> Iterator[tuple[Any, str | None]]:
    text, method, keywords = path.read_text("utf-8"), "python", _keywords()
    if path.suffix == ".js":
        method, keywords = "javascript", dict(_SCRIPTS)
    elif path.suffix == ".html":
        # between brackets the indentation of a template means nothing to the tokenizer
        text = f"({templatize(text)})"
    source, options = io.BytesIO(text.encode()), {"parse_template_string": True}
    for _line, said, _comments, context in extract(method, source, keywords, options=options):
        yield said, context


def _keywords() -> dict[str, Any]:
    return {**_GETTEXT, **_DOMAIN, **_positions(refusals())}


def _positions(classes: Mapping[str, int]) -> dict[str, Any]:
    return {name: None if position == 1 else (position,) for name, position in classes.items()}
