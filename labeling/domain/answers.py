"""Find a solution's final answer and compare two answers where plain rules can.

Pure and fast; what these rules cannot say goes to workers.grading.
"""

from __future__ import annotations

import re

from labeling.domain.numbers import number, number_kind

MAX_ANSWER = 2_000
"""A longer "answer" is no answer, in characters."""


def final_answer(text: str) -> str | None:
    r"""Return the answer that a solution states, or None when it states none.

    The last complete \boxed{} counts, with those that it follows in one list ("\boxed{1} and
    \boxed{2}"); without one the last "#### x", "Answer: x" or "the answer is x". A box that never
    closes (a reply cut short) hides whatever it follows.
    """
    boxes = _last_boxes(text)
    if boxes:
        return _tidy(", ".join(boxes))
    complete = text[: _open_box(text)]
    stated = [tidy for match in _STATED.finditer(complete) if (tidy := _tidy(_sentence(match)))]
    return stated[-1] if stated else None


def last_boxed(text: str) -> str | None:
    r"""Return the inside of the last \boxed{…} (or \fbox{…}) whose braces balance."""
    boxes = _last_boxes(text)
    return boxes[-1] if boxes else None


def normalize(answer: str) -> str:
    """Return the answer without LaTeX layout, units' decoration and outer marks.

    Two answers with one normal form are equal; the reverse does not hold.
    """
    text = answer.strip()[:MAX_ANSWER]
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    text = _unwrap(text)
    return text.casefold() if _WORDS.fullmatch(text) else text


def quick_equal(a: str, b: str) -> bool | None:
    """Say whether two answers are equal; None where these rules cannot say.

    Numbers are compared exactly, as fractions. Numbers written in different ways (a decimal beside
    a fraction, a percentage beside a plain number, a decimal comma) are only ever confirmed equal.
    """
    left, right = normalize(a), normalize(b)
    if left and left == right:
        return True
    first, second = number(left), number(right)
    if first is not None and second is not None:
        if first == second:
            return True
        alike = number_kind(left) == number_kind(right) != "comma"  # "1,2" may be a list
        return False if alike else None
    choices = _CHOICE.fullmatch(left), _CHOICE.fullmatch(right)
    if choices[0] and choices[1] and min(len(left), len(right)) == 1:
        return choices[0]["letter"] == choices[1]["letter"]
    return None


MAX_BOXES = 50  # a reply that repeats "\\boxed{" without end must not cost its square
_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{")
_MARK = r"[\s*_]*"
_STATED = re.compile(
    rf"(?:^\s*\#{{4}}\s* | \banswer{_MARK}[:=]{_MARK} | \banswer\s+is\b\s*:?{_MARK})"
    r"(?P<value>[^\n]*)",
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
_SENTENCE_END = re.compile(r"(?<=[^\s.])\.(?=\s+[A-Z(]|\s*$)")
_WORDS = re.compile(r"[^\W\d_]{2,}(?:[ -][^\W\d_]+)*")
_REWRITES = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\\(?:left|right|displaystyle|limits|bigl?|bigr?|Bigl?|Bigr?)(?![A-Za-z])\.?", ""),
        (r"\\[dtc]frac(?![A-Za-z])", r"\\frac"),
        (r"\\frac\s*(\d)\s*(\d)", r"\\frac{\1}{\2}"),
        (r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mbox)\s*\{([^{}]*)\}", r"\1"),
        (r"\\(?:[,;:!]|quad|qquad)", " "),
        (r"\\ |~|\u00a0|\u202f|\u2009", " "),
        (r"\^\s*(?:\{\s*\\circ\s*\}|\\circ)|\\degree(?![A-Za-z])|°", ""),
        (r"\\([%$&#_])", r"\1"),
        (r"[\u2212\u2013]", "-"),
        (r"\{,\}", ","),
        (r"\\cdot(?![A-Za-z])|\\times(?![A-Za-z])|×|·", "*"),
        (r"\\(?:leq?)(?![A-Za-z])", "≤"),
        (r"\\(?:geq?)(?![A-Za-z])", "≥"),
        (r"\s+", " "),
        (r" ?([-+*/=^,;(){}\[\]<>|%≤≥]) ?", r"\1"),
    )
)
# "C", "(C)", "C. the text of that choice"
_CHOICE = re.compile(r"\(?(?P<letter>[A-Za-z])(?:[.:)](?: .*)?)?")
_BETWEEN_BOXES = re.compile(r"(?:[\s,;$]|and|or|\\(?:quad|text\s*\{\s*(?:and|or)\s*\}))*")


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
        found.insert(0, text[match.end() : end].strip())
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


def _unwrap(text: str) -> str:
    text = text.strip().strip("$").strip()
    if text.startswith(("\\(", "\\[")) and text.endswith(("\\)", "\\]")):
        text = text[2:-2].strip()
    return text.removesuffix(".").lstrip("$€£").rstrip("$€£").strip()
