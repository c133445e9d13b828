"""Find the mathematics in a data set's text: TeX, drawings, GSM8K's calculator marks.

Knows no HTML. A dollar sign is mathematics only where it can be nothing else: "$5 and $7" is money.
TeX without delimiters is found where a command says so: "so \\boxed{11}". Code is left alone.
Linear in the text's length, whatever the text: data sets are not to be trusted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a piece of text is."""

    TEXT = "text"
    INLINE = "inline"
    DISPLAY = "display"
    MARK = "mark"
    DRAWING = "drawing"
    """Source of a picture in Asymptote; nothing here draws it."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a text. `source` is TeX without its delimiters, or the text itself."""

    kind: Kind
    source: str


Found = tuple[Segment, int]
"""A piece and the position after it."""

_ENVIRONMENTS = (
    "align|aligned|alignat|array|bmatrix|Bmatrix|cases|CD|dcases|eqnarray|equation|gather|gathered"
    "|matrix|multline|pmatrix|rcases|smallmatrix|split|subarray|tabular|vmatrix|Vmatrix"
)
_BARE = (
    "frac|dfrac|tfrac|cfrac|binom|sqrt|boxed|text|mbox|mathrm|mathbb|mathbf|mathcal|operatorname"
    "|overline|underline|overrightarrow|vec|hat|bar"
)
_SYMBOLS = (
    "alpha|beta|gamma|delta|epsilon|theta|lambda|mu|pi|rho|sigma|phi|omega|Delta|Omega|in|notin"
    "|cup|cap|cdot|cdots|ldots|times|div|pm|mp|le|leq|ge|geq|ne|neq|approx|equiv|infty|circ|angle"
    "|triangle|to|implies|sum|int|prod|log|ln|sin|cos|tan|subset|subseteq|sim|mid|nmid|quad"
)
_OPENER = re.compile(
    rf"\\\$|<<|`+|\[asy\]|\$\$|\$|\\\[|\\\(|\\begin\{{(?P<environment>(?:{_ENVIRONMENTS})\*?)\}}"
    rf"|\\(?:(?P<bare>{_BARE})(?=\s?[\[{{\d])|(?P<left>left)(?=[\\(\[|.<])|(?P<symbol>{_SYMBOLS})(?![A-Za-z]))"
)
# a command's arguments, braces three deep, and the scripts after them
_BRACES = r"\{(?:[^{}\n]|\{(?:[^{}\n]|\{[^{}\n]*+\})*+\})*+\}"
_SCRIPT = rf"(?:[_^](?:\w|{_BRACES})){{0,2}}"
_ARGUMENTS = re.compile(
    rf"(?:\s?\[[^\[\]\n]{{1,20}}\])?(?:\s?\d\d?|(?:\s?{_BRACES}){{1,2}}+(?!\s?\{{)){_SCRIPT}"
)
_SCRIPTS = re.compile(_SCRIPT)
_FENCED = re.compile(r"[^\n]{1,400}?\\right(?:\\[{}|]|[)\]|.>])")
_MARK = re.compile(r"<<([^<>\n]{1,120}=[^<>\n]{0,60})>>")
_DOUBLED = re.compile(r"\$\$((?:\\.|[^$\\])+)\$\$", re.DOTALL)
# from a dollar to the next one; a blank line, another delimiter or a mark between them ends it
_TO_DOLLAR = re.compile(r"\$((?:\\[^(\[\])]|[^$\\\n<]|<(?!<)|\n(?!\s*\n))+)\$", re.DOTALL)
_TEX_ONLY = re.compile(r"[\\^_{}]")
_PRICE = re.compile(r"\s?\d[\d,]*(?:\.\d+)?(?:\s+|[.,;:]\s+|/)[A-Za-z]{2,}")
# names of points and sides, "GAB, GAC", are no words
_WORDS = re.compile(r"\b(?=[A-Z]*[a-z])[A-Za-z]{3,}[,.;:]?\s+(?=[A-Z]*[a-z])[A-Za-z]{3,}")
_TEXT_COMMANDS = re.compile(
    r"\\(?:text|mbox|mathrm|textbf|textit|operatorname)\s*\{[^{}]*\}|\\[A-Za-z]+"
)


def segments(text: str) -> Iterator[Segment]:
    """Split a text into plain pieces and mathematics, in order; nothing is lost but delimiters."""
    position = plain_from = 0
    absent: set[str] = set()
    while match := _OPENER.search(text, position):
        if match[0].startswith("`"):
            position = _past_code(text, match, absent)
            continue
        found = _segment(text, match, absent)
        if found is None:
            position = match.end()
            continue
        segment, end = found
        if match.start() > plain_from:
            yield Segment(Kind.TEXT, text[plain_from : match.start()])
        yield segment
        position = plain_from = end
    if plain_from < len(text):
        yield Segment(Kind.TEXT, text[plain_from:])


def _segment(text: str, match: re.Match[str], absent: set[str]) -> Found | None:
    """Return what the opener begins. `absent`: closers that the rest of the text lacks."""
    opener, start = match[0], match.start()
    if name := match["environment"]:
        closer = f"\\end{{{name}}}"
        end = _find(text, closer, match.end(), absent) + len(closer)
        return (Segment(Kind.DISPLAY, text[start:end]), end) if end >= len(closer) else None
    if match["bare"] or match["symbol"] or match["left"]:
        return _undelimited(text, match)
    match opener:
        case "[asy]":
            end = _find(text, "[/asy]", start, absent) + len("[/asy]")
            return (Segment(Kind.DRAWING, text[start:end]), end) if end > len("[/asy]") else None
        case "<<":
            mark = _MARK.match(text, start)
            return (Segment(Kind.MARK, mark[1]), mark.end()) if mark else None
        case "\\[":
            return _delimited(Kind.DISPLAY, text, match.end(), "\\]", absent)
        case "\\(":
            return _delimited(Kind.INLINE, text, match.end(), "\\)", absent)
        case "$$":
            doubled = _DOUBLED.match(text, start)
            return _filled(Kind.DISPLAY, doubled[1], doubled.end()) if doubled else None
        case "$":
            return _between_dollars(text, start)
    return None  # an escaped dollar opens nothing


def _past_code(text: str, match: re.Match[str], absent: set[str]) -> int:
    """Return where the code that these backticks open ends, or where they end if none closes."""
    end = _find(text, match[0], match.end(), absent)
    return match.end() if end < 0 else end + len(match[0])


def _undelimited(text: str, match: re.Match[str]) -> Found | None:
    form = _ARGUMENTS if match["bare"] else _FENCED if match["left"] else _SCRIPTS
    rest = form.match(text, match.end())
    if rest is None:
        return None
    return Segment(Kind.INLINE, text[match.start() : rest.end()]), rest.end()


def _delimited(kind: Kind, text: str, start: int, closer: str, absent: set[str]) -> Found | None:
    end = _find(text, closer, start, absent)
    return None if end < 0 else _filled(kind, text[start:end], end + len(closer))


def _find(text: str, closer: str, start: int, absent: set[str]) -> int:
    if closer in absent:
        return -1
    end = text.find(closer, start)
    if end < 0:
        absent.add(closer)
    return end


def _filled(kind: Kind, source: str, end: int) -> Found | None:
    return (Segment(kind, source.strip()), end) if source.strip() else None


def _between_dollars(text: str, start: int) -> Found | None:
    match = _TO_DOLLAR.match(text, start)
    if match is None or not _is_mathematics(match[1], text[match.end() : match.end() + 2]):
        return None
    return Segment(Kind.INLINE, match[1].strip()), match.end()


def _is_mathematics(inside: str, after: str) -> bool:
    """Tell `$x + 1$` from the money in `$5 and $7`, by what stands inside and right after."""
    if not inside.strip() or _PRICE.match(inside):
        return False
    if _WORDS.search(_TEXT_COMMANDS.sub(" ", inside)):
        return False
    tex = bool(_TEX_ONLY.search(inside))
    if (after[:1].isdigit() or after == "<<") and not tex:
        return False  # the closing dollar is the next price's sign
    spaced = inside[0].isspace(), inside[-1].isspace()
    return tex or not any(spaced) or (all(spaced) and not inside.strip()[0].isdigit())
