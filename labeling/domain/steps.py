"""Split a solution's text into steps and join it again without losing a character."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import regex

from labeling.domain.refusals import Invalid

MAX_PATTERN = 200
"""Longest pattern of a user, in characters."""
PATTERN_SECONDS = 1.0
"""A user's pattern may search one text for this long."""

Span = tuple[int, int]


class SplitKind(StrEnum):
    """Where one step ends and the next begins."""

    PARAGRAPHS = "paragraphs"
    NUMBERED = "numbered"
    LINES = "lines"
    PATTERN = "pattern"


class EmptyText(Invalid):
    """A solution without a visible character."""

    code = "empty_text"


class BadPattern(Invalid):
    """A separator pattern that cannot be used."""

    code = "bad_pattern"


@dataclass(frozen=True, slots=True)
class SplitRule:
    """How to split; `pattern` is a regular expression of the separators, for PATTERN alone.

    PARAGRAPHS (blank lines) is the rule of arXiv 2501.07301 §2.1.
    """

    kind: SplitKind = SplitKind.PARAGRAPHS
    pattern: str = ""

    def __post_init__(self) -> None:
        if (self.kind is SplitKind.PATTERN) != bool(self.pattern):
            raise BadPattern("A pattern belongs to the rule “pattern”, and to no other.")
        if len(self.pattern) > MAX_PATTERN:
            raise BadPattern(
                "The pattern is longer than {max_pattern} characters.", max_pattern=MAX_PATTERN
            )
        if self.pattern:
            _compiled(self.pattern)


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of a text and the texts around them: one gap more than parts."""

    parts: tuple[str, ...]
    gaps: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.gaps) != len(self.parts) + 1:
            raise ValueError(f"{len(self.parts)} steps need {len(self.parts) + 1} gaps")


def split(text: str, rule: SplitRule | None = None) -> Steps:
    """Return the steps of a text; white space and separators around them go to the gaps.

    No step is blank, and `join(split(text)) == text`. Raise EmptyText for a blank text and
    BadPattern where a user's pattern takes longer than PATTERN_SECONDS.
    """
    spans = [span for span in _segments(text, rule or SplitRule()) if span[0] < span[1]]
    if not spans:
        raise EmptyText("The solution is empty.")
    starts, ends = [start for start, _ in spans], [end for _, end in spans]
    gaps = (text[a:b] for a, b in zip([0, *ends], [*starts, len(text)], strict=True))
    return Steps(tuple(text[a:b] for a, b in spans), tuple(gaps))


def join(steps: Steps) -> str:
    """Return the text that was split."""
    inner = (part + gap for part, gap in zip(steps.parts, steps.gaps[1:], strict=True))
    return steps.gaps[0] + "".join(inner)


def _segments(text: str, rule: SplitRule) -> Iterator[Span]:
    """Yield what lies between the separators, without white space at its ends."""
    start = 0
    for cut, resume in [*_separators(text, rule), (len(text), len(text))]:
        segment = text[start:cut]
        left = start + len(segment) - len(segment.lstrip())
        yield left, max(left, start + len(segment.rstrip()))
        start = resume


def _separators(text: str, rule: SplitRule) -> list[Span]:
    if rule.kind is SplitKind.NUMBERED:
        return _numbered(text)
    if rule.kind is SplitKind.PATTERN:
        return _custom(text, rule.pattern)
    pattern = r"\n" if rule.kind is SplitKind.LINES else r"\n[^\S\n]*\n"
    return [match.span() for match in regex.finditer(pattern, text)]


_MARKER = regex.compile(
    r"^(?P<indent>[^\S\n]*)(?:\#{1,6}\ )?(?:\*\*|__)?"  # heading, bold
    r"(?:step\ (?P<word>\d{1,4})\b | \(?(?P<bare>\d{1,4})[.)](?=\s))",
    regex.MULTILINE | regex.IGNORECASE | regex.VERBOSE,
)


def _numbered(text: str) -> list[Span]:
    """Cut before the lines "Step k", "k.", "k)" that continue the count.

    A number out of sequence or of another indentation or kind is text inside a step: a list.
    """
    cuts: list[Span] = []
    expected: tuple[str, bool, int] | None = None
    for match in _MARKER.finditer(text):
        number = int(match["word"] or match["bare"])
        kind = match["indent"], match["word"] is not None
        if expected is None or (*kind, number) == expected:
            expected = (*kind, number + 1)
            cuts.append((match.start(), match.start()))
    return cuts


def _custom(text: str, pattern: str) -> list[Span]:
    try:
        found = _compiled(pattern).finditer(text, timeout=PATTERN_SECONDS)
        return [match.span() for match in found]
    except TimeoutError as error:
        raise BadPattern(
            "The pattern took longer than {pattern_seconds:g} s on one text.",
            pattern_seconds=PATTERN_SECONDS,
        ) from error


def _compiled(pattern: str) -> regex.Pattern[str]:
    try:
        return regex.compile(pattern, regex.MULTILINE | regex.VERSION1)
    except (regex.error, OverflowError, RecursionError, MemoryError) as error:
        raise BadPattern("The pattern is not a regular expression: {error}", error=error) from error
