"""Find the final answer that a solution states."""

from __future__ import annotations

import re

MAX_ANSWER = 2_000
"""A longer "answer" is no answer, in characters."""


def final_answer(text: str) -> str | None:
    r"""Return the answer that a solution states, or None when it states none.

    The last complete \boxed{} counts, with those that it follows in one list ("\boxed{1} and
    \boxed{2}"); without one the last "#### x", "Answer: x" or "the answer is x". A box that never
    closes (a reply cut short) hides whatever it follows.
    """
    if "box" in text:
        if boxes := _last_boxes(text):
            return _tidy(", ".join(boxes))
        text = text[: _open_box(text)]
    # Most steps state nothing, which the expression takes long to find. It ignores case as
    # casefold does: "ſ" is an s.
    if "####" not in text and "answer" not in text.casefold():
        return None
    stated = [tidy for match in _STATED.finditer(text) if (tidy := _tidy(_sentence(match)))]
    return stated[-1] if stated else None


def last_boxed(text: str) -> str | None:
    r"""Return the inside of the last \boxed{…} (or \fbox{…}) whose braces balance."""
    boxes = _last_boxes(text)
    return boxes[-1] if boxes else None


MAX_BOXES = 50  # a reply that repeats "\\boxed{" without end must not cost its square
_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{")
_MARK = r"[\s*_]*"
_STATED = re.compile(
    rf"(?:^\s*\#{{4}}\s* | \banswer{_MARK}[:=]{_MARK} | \banswer\s+is\b\s*:?{_MARK})"
    r"(?P<value>[^\n]*)",
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
_SENTENCE_END = re.compile(r"(?<=[^\s.])\.(?=\s+[A-Z(]|\s*$)")
_GAP = r"(?:[\s,;$]|\\[()\[\]]|\\q?quad)*"
# nothing but "and", at most after two words of a unit, and at most a name before the next box
_BETWEEN_BOXES = re.compile(
    rf"{_GAP}(?:(?:[A-Za-z]+\s+){{0,2}}(?:and|or)|\\text\s*\{{\s*(?:and|or)\s*\}})?"
    rf"{_GAP}(?:[A-Za-z](?:_\{{?\w\}}?)?\s*=\s*)?"
)


def _last_boxes(text: str) -> list[str]:
    """Return the insides of the last complete boxes, of which each follows the one before."""
    found: list[str] = []
    begin = len(text)
    for match in reversed(list(_BOX.finditer(text))[-MAX_BOXES:]):
        end = _closing_brace(text, match.end())
        if end is None:
            continue
        if found and not _BETWEEN_BOXES.fullmatch(text, end + 1, begin):
            break
        inside = text[match.end() : end].strip()
        if inside not in found:  # "\\boxed{5}. \\boxed{5}" says 5 twice
            found.insert(0, inside)
        begin = match.start()
    return found


def _open_box(text: str) -> int:
    """Return where an unclosed last box begins, else the text's length."""
    start = len(text)
    for match in _BOX.finditer(text):
        start = match.start()
    return start


def _closing_brace(text: str, start: int) -> int | None:
    depth = 1
    escaped = False
    for index in range(start, min(len(text), start + MAX_ANSWER)):
        char = text[index]
        if not escaped and char in "{}":
            depth += 1 if char == "{" else -1
            if depth == 0:
                return index
        escaped = char == "\\" and not escaped
    return None


def _sentence(match: re.Match[str]) -> str:
    return _SENTENCE_END.split(match["value"], maxsplit=1)[0]


def _tidy(answer: str) -> str | None:
    text = answer.strip().strip("*_ \t")
    for opening, closing in (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]")):
        inner = text.removeprefix(opening).removesuffix(closing)
        if len(inner) == len(text) - len(opening) - len(closing) and opening not in inner:
            text = inner.strip()
    text = text.removesuffix(".").strip()
    return text if text and len(text) <= MAX_ANSWER else None
