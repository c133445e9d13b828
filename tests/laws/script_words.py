"""What a script says without asking the catalog."""

from __future__ import annotations

import re
from collections.abc import Iterator

from babel.messages.jslexer import Token, tokenize

_SENTENCE = re.compile(r"[A-Za-z]{2,}[,.:;]? [a-z]{2,}|[A-Z][a-z]+ [A-Za-z]|^[A-Z][a-z]+\.?$")
_TEXTS = ("string", "template_string")
_COMMENTS = ("linecomment", "multilinecomment")
_NAMES = {"className", "classList", "add", "toggle", "remove", "Error", "TypeError", "Highlight"}
"""Strings after these are names of classes, or errors that nobody reads."""

_SIGNS = frozenset(
    re.findall(
        r"\w+",
        """a button details dialog input scope select summary tbody textarea tr quiet small
        Alt Arrow Backspace Control Delete Enter Escape Insert Meta Shift Space Tab""",
    )
)
"""Elements and classes in selectors, keys of the keyboard."""


def unmarked(source: str) -> list[str]:
    """Return the strings that look like words for people outside of t() and n()."""
    return [token.value for token in _outside(_tokens(source)) if _is_said(token.value)]


def calls(source: str) -> int:
    """Count the calls of t and n whose message is written out."""
    code = re.sub(r"^\s*//.*", "", source, flags=re.MULTILINE)
    return len(re.findall(r"(?<![\w.$])[tn]\(\s*[\"'`]", code))


def _tokens(source: str) -> list[Token]:
    return [token for token in tokenize(source) if token.type not in _COMMENTS]


def _outside(tokens: list[Token]) -> Iterator[Token]:
    """Yield the strings that are no argument of t, n or of what sets names."""
    depth, within = 0, []
    for index, token in enumerate(tokens):
        before = [t.value.rpartition(".")[2] for t in tokens[max(0, index - 2) : index]]
        if token.value == "(":
            depth += 1
            if before and before[-1] in {"t", "n"}:
                within.append(depth)
        elif token.value == ")":
            if within and within[-1] == depth:
                within.pop()
            depth -= 1
        elif token.type in _TEXTS and not within and not _NAMES & set(before):
            yield token


def _is_said(value: str) -> bool:
    text = re.sub(r"\$\{[^}]*\}", "…", value[1:-1])
    if re.search(r"[\[\]#<>=(){}]|^\.", text) or set(re.findall(r"[A-Za-z]+", text)) <= _SIGNS:
        return False
    return bool(_SENTENCE.search(text))
