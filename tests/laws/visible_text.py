"""What a template shows without asking the catalog."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from django.template.base import Lexer, Token, TokenType

SHOWN_ATTRIBUTES = {"title", "aria-label", "aria-description", "placeholder", "alt", "label"}
SHOWN_DATA = re.compile(r"data-(confirm|label|word|words|title|hint)(-|$)")
SHOWN_WITH = {"title", "lead", "label", "button", "word", "words", "text", "hint"}
"""Names of values that an included template shows."""

SIGNS_ELEMENTS = {"script", "style", "code", "kbd", "svg"}
"""Identifiers, keys and drawings: the same in every language."""

_LETTERS = re.compile(r"[A-Za-z]{2,}")
_HOLE = "\x00"
_TAG = re.compile(r"<[^<>]*>")
_WITH = re.compile(r"""\b([\w-]+)=("[^"]*"|'[^']*')""")
_FILTER = re.compile(r"""\|(default|default_if_none|yesno):("[^"]*"|'[^']*')""")


def unmarked(source: str, same_everywhere: set[str]) -> list[str]:
    """Return the visible texts of a template that are not marked for translation."""
    tokens = list(Lexer(source).tokenize())
    found = [*_literals(tokens), *_texts("".join(_flattened(tokens)))]
    return [text for text in found if _LETTERS.search(text) and text not in same_everywhere]


def _flattened(tokens: list[Token]) -> Iterator[str]:
    inside = ""
    for token in tokens:
        name = token.contents.split(" ", 1)[0] if token.token_type is TokenType.BLOCK else ""
        if inside:
            inside = "" if name == f"end{inside}" else inside
        elif name in {"blocktranslate", "blocktrans", "comment"}:
            inside = name
            yield _HOLE
        elif token.token_type is TokenType.TEXT:
            yield token.contents
        elif token.token_type is not TokenType.COMMENT:
            yield _HOLE


def _literals(tokens: list[Token]) -> Iterator[str]:
    for token in tokens:
        if token.token_type in {TokenType.TEXT, TokenType.COMMENT}:
            continue
        yield from (text[1:-1] for _, text in _FILTER.findall(token.contents))
        if token.contents.startswith("include "):
            shown = (text for name, text in _WITH.findall(token.contents) if name in SHOWN_WITH)
            yield from (text[1:-1] for text in shown)
        if "|pluralize" in token.contents:
            yield f"pluralize knows English alone: {token.contents}"


def _texts(html: str) -> list[str]:
    reader = _Reader()
    reader.feed(_TAG.sub(lambda tag: tag[0].replace(_HOLE, " "), html))
    reader.close()
    return reader.found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._signs = 0

    def handle_starttag(self, tag, attrs):
        self._signs += tag in SIGNS_ELEMENTS
        for name, value in attrs:
            if value and (name in SHOWN_ATTRIBUTES or SHOWN_DATA.match(name)):
                self._note(value)
        shown = {"type", "value"} <= dict(attrs).keys() and dict(attrs)["type"] == "submit"
        if shown:
            self._note(dict(attrs)["value"])

    def handle_endtag(self, tag):
        self._signs -= tag in SIGNS_ELEMENTS

    def handle_data(self, data):
        if not self._signs:
            self._note(data)

    def _note(self, text):
        self.found += [part.strip() for part in text.split(_HOLE) if part.strip()]
