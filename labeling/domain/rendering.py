"""Text of data sets, models and people as safe HTML. Pure: the browser turns `.math` into glyphs.

Two readings: `prose` for problems, steps, rollouts and critiques shows what was written, number by
number, with little Markdown (bold, code, headings, tables); `document` is full Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from html import escape, unescape

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from labeling.domain.mathtext import Kind, Segment, segments

# Private-use characters stand for what Markdown must not touch; texts are cleared of them first.
_OPEN, _CLOSE = "\ue000", "\ue001"
_SIGNS = {"*": "\ue002", "_": "\ue003", "#": "\ue004"}
_RESERVED = re.compile("[\ue000-\ue004\x00]")
_PLACE_WITH_BREAKS = re.compile(f"(<br>\\s*)?{_OPEN}(\\d+){_CLOSE}(\\s*<br>)?")

_TAGS = {
    "a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol",
    "p", "pre", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip

KEPT = 1024
"""Texts whose HTML a process remembers: an item's come again in its evidence, and to others."""
LONGEST_KEPT = 4000
"""Characters; with KEPT of them, some 10 MB."""

_TAG = re.compile(r"<[^>]*>")
_NO_LETTER = re.compile(r"[\W_]+")

_POWER = re.compile(r"(?<=[\w)\]}])\*\*(?=[\w({\[])")
_LONE_STAR = re.compile(r"(?<!\*)\*(?!\*)")
_ONE_HASH = re.compile(r"^( {0,3})#(?!#)", re.MULTILINE)


def prose(text: str) -> str:
    """Return HTML of a problem, step, rollout or critique; line breaks and numbering are kept.

    Where Markdown would drop a letter or a digit (a row's cell beyond its table's columns) the
    text is shown as it stands.

    Lists, links, quotes, single `*` and `_`, and backslash escapes are not Markdown here: in
    mathematics `2*3*4`, `x_1`, `[1/2](3)` and a step that is just "24." mean themselves.
    """
    return _kept_prose(text) if len(text) <= LONGEST_KEPT else _prose(text)


@lru_cache(maxsize=KEPT)
def _kept_prose(text: str) -> str:
    return _prose(text)


def _prose(text: str) -> str:
    html = _render(_prose_markdown(), text, protect_signs=True)
    return html if _shown(html) == _letters(_RESERVED.sub("", text)) else _as_it_stands(text)


def document(text: str) -> str:
    """Return HTML of a page that people write, such as guidelines: full Markdown without HTML."""
    return _render(_document_markdown(), text, protect_signs=False)


def line(text: str, limit: int = 140) -> str:
    """Return HTML of the text's beginning on one line: mathematics but no Markdown, no marks."""
    parts: list[str] = []
    left = limit
    for segment in segments(_RESERVED.sub("", text)):
        if segment.kind in (Kind.MARK, Kind.DRAWING):
            continue
        words = _flat(segment.source)
        if left <= 0 or (segment.kind is not Kind.TEXT and len(words) > left + limit // 3):
            return _cut(parts)
        if segment.kind is Kind.TEXT and len(words) > left:
            return _cut([*parts, escape(words[:left].rsplit(" ", 1)[0])])
        math = Segment(Kind.INLINE, segment.source)
        parts.append(escape(words) if segment.kind is Kind.TEXT else _html(math))
        left -= len(words)
    return "".join(parts)


def _shown(html: str) -> str:
    return _letters(unescape(_TAG.sub("", html)))


def _letters(text: str) -> str:
    return _NO_LETTER.sub("", text)


def _as_it_stands(text: str) -> str:
    pieces = segments(_RESERVED.sub("", text))
    return f'<p class="as-it-stands">{"".join(map(_html, pieces))}</p>\n'


def _cut(parts: Sequence[str]) -> str:
    return "".join(parts).rstrip() + " …"


def _flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def _render(markdown: MarkdownIt, text: str, *, protect_signs: bool) -> str:
    kept: list[Segment] = []
    pieces = []
    for segment in segments(_RESERVED.sub("", text)):
        if segment.kind is Kind.TEXT:
            pieces.append(_protected(segment.source) if protect_signs else segment.source)
        else:
            pieces.append(f"{_OPEN}{len(kept)}{_CLOSE}")
            kept.append(segment)
    html = nh3.clean(
        markdown.render("".join(pieces)),
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    for sign, stand_in in _SIGNS.items():
        html = html.replace(stand_in, sign)
    return _PLACE_WITH_BREAKS.sub(lambda match: _placed(match, kept), html)


def _placed(match: re.Match[str], kept: Sequence[Segment]) -> str:
    segment = kept[int(match[2])]
    if segment.kind in (Kind.DISPLAY, Kind.DRAWING):  # stands on lines of its own anyhow
        return _html(segment)
    return (match[1] or "") + _html(segment) + (match[3] or "")


def _protected(text: str) -> str:
    text = _POWER.sub(_SIGNS["*"] * 2, text)
    text = _LONE_STAR.sub(_SIGNS["*"], text).replace("_", _SIGNS["_"])
    return _ONE_HASH.sub(rf"\1{_SIGNS['#']}", text)


def _html(segment: Segment) -> str:
    source = escape(segment.source)
    if segment.kind is Kind.TEXT:
        return source
    if segment.kind is Kind.DRAWING:
        source = source.removeprefix("[asy]")
        return f'<details class="drawing"><summary>[asy]</summary>{source}</details>'
    if segment.kind is Kind.MARK:
        return f'<span class="mark" title="calculator mark in the source">{source}</span>'
    display = str(segment.kind is Kind.DISPLAY).lower()
    return f'<span class="math" data-display="{display}">{source}</span>'


def _fence(_: object, tokens: Sequence[Token], index: int, *__: object) -> str:
    """Keep what stands beside the opening fence, mostly the language's name."""
    token = tokens[index]
    name = f"<p><code>{escape(token.info.strip())}</code></p>\n" if token.info.strip() else ""
    return f"{name}<pre><code>{escape(token.content)}</code></pre>\n"


@cache
def _prose_markdown() -> MarkdownIt:
    rules = [
        "link", "image", "autolink", "list", "blockquote", "code", "lheading", "hr", "reference",
        "escape", "entity", "html_block", "html_inline",
    ]  # fmt: skip
    made = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table").disable(rules)
    made.add_render_rule("fence", _fence)
    return made


@cache
def _document_markdown() -> MarkdownIt:
    return (
        MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "html_block"])
    )
