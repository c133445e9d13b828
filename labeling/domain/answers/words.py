"""Compare answers in words: text, choice letters, yes and no; and units that follow a value."""

from __future__ import annotations

import re

_TEXT = re.compile(r"\\text\{([^{}]*)\}")
_LETTERS = re.compile(r"[^\W\d_]+(?: [^\W\d_]+)*")
# "stop" and "red car" are words; "ab" and "xyz" may be products
_WORDY = re.compile(r"[^\W\d_]{4,}|[^\W\d_]{3} [^\W\d_]{3}|[A-Z]{3,}|\b(?:yes|no|DNE)\b")
_SAYINGS = {
    "true": "yes",
    "false": "no",
    "no solution": "∅",
    "no solutions": "∅",
    "no real solution": "∅",
    "no real solutions": "∅",
    "empty set": "∅",
    "does not exist": "dne",
}
_CHOICE = re.compile(
    r"(?:(?:choice|option)[ _])?\(?(?P<letter>[A-Za-z])(?:[.:)](?: ?\S.*)?)?",
    re.DOTALL | re.IGNORECASE,
)


def same_words(a: str, b: str) -> bool | None:
    """Compare two normal forms as text, without case; None where both may be mathematics.

    "True" is "yes" and "false" "no"; "no solution" is the empty set.
    """
    choice = same_choice(a, b)
    if choice is not None:
        return choice
    first, second = _words(a), _words(b)
    if not (is_text(a) or is_text(b)):
        return None
    if first == second:
        return True
    plain = _LETTERS.fullmatch(first), _LETTERS.fullmatch(second)
    return False if (is_text(a) and is_text(b)) or all(plain) else None


def is_text(text: str) -> bool:
    """Say whether a normal form is nothing but words."""
    plain = " ".join(re.sub(r"[.,;:!?'\"()-]", " ", _TEXT.sub(r" \1 ", text)).split())
    marked = _TEXT.search(text) is not None
    return bool(_LETTERS.fullmatch(plain) and (marked or _WORDY.search(plain)))


def same_choice(a: str, b: str) -> bool | None:
    """Compare choice letters ("C", "(C)", "C. its text"); None where one is none."""
    if min(len(a), len(b)) != 1:
        return None
    choices = _CHOICE.fullmatch(a), _CHOICE.fullmatch(b)
    return choices[0]["letter"] == choices[1]["letter"] if choices[0] and choices[1] else None


def _words(text: str) -> str:
    plain = re.sub(r"[.,;:!?'\"()-]", " ", _TEXT.sub(r" \1 ", text)).casefold()
    plain = " ".join(word for word in plain.split() if word not in ("a", "an", "the"))
    return _SAYINGS.get(plain, plain)
