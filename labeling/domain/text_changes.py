"""What changed between two versions of a text, line by line and word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

CONTEXT = 2
"""Unchanged lines kept around a change."""

LONGEST_LINE = 4000
"""Characters of a line up to which changed words are looked for: the search is quadratic."""

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")


class Change(StrEnum):
    """What became of a piece of text."""

    KEPT = "kept"
    ADDED = "added"
    REMOVED = "removed"
    FOLDED = "folded"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line; `change` says whether it is in both versions."""

    change: Change
    text: str


@dataclass(frozen=True, slots=True)
class ChangedLine:
    """A line of the comparison. FOLDED: `count` unchanged lines that are left out."""

    change: Change
    pieces: tuple[Piece, ...]
    count: int = 1


def changes(before: str, after: str) -> list[ChangedLine]:
    """Return the lines of both versions, unchanged ones only near a change."""
    old, new = before.splitlines(), after.splitlines()
    found: list[ChangedLine] = []
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for index, (tag, i1, i2, j1, j2) in enumerate(blocks):
        if tag == "equal":
            found += _kept(new[j1:j2], first=index == 0, last=index == len(blocks) - 1)
        elif tag == "replace":
            found += _replaced(old[i1:i2], new[j1:j2])
        else:
            found += [_line(Change.REMOVED, text) for text in old[i1:i2]]
            found += [_line(Change.ADDED, text) for text in new[j1:j2]]
    return found


def _line(change: Change, text: str) -> ChangedLine:
    return ChangedLine(change, (Piece(change, text),))


def _kept(lines: Sequence[str], *, first: bool, last: bool) -> Iterator[ChangedLine]:
    start = 0 if first else min(CONTEXT, len(lines))
    end = len(lines) if last else max(len(lines) - CONTEXT, start)
    yield from (_line(Change.KEPT, text) for text in lines[:start])
    if end > start:
        yield ChangedLine(Change.FOLDED, (), end - start)
    yield from (_line(Change.KEPT, text) for text in lines[end:])


def _replaced(old: Sequence[str], new: Sequence[str]) -> Iterator[ChangedLine]:
    """Yield the lines with their changed words marked, where they pair up."""
    if len(old) != len(new):
        yield from (_line(Change.REMOVED, text) for text in old)
        yield from (_line(Change.ADDED, text) for text in new)
        return
    for before, after in zip(old, new, strict=True):
        removed, added = _words(before, after)
        yield ChangedLine(Change.REMOVED, removed)
        yield ChangedLine(Change.ADDED, added)


def _words(before: str, after: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    if max(len(before), len(after)) > LONGEST_LINE:
        return (Piece(Change.REMOVED, before),), (Piece(Change.ADDED, after),)
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    removed, added = [], []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        same = tag == "equal"
        if i2 > i1:
            removed.append(Piece(Change.KEPT if same else Change.REMOVED, "".join(old[i1:i2])))
        if j2 > j1:
            added.append(Piece(Change.KEPT if same else Change.ADDED, "".join(new[j1:j2])))
    return tuple(removed), tuple(added)
