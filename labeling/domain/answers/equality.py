"""Say whether two answers are equal: plain rules where they suffice, else a question is asked.

Pure. `ask(gold, prediction)` compares two expressions (normal forms without shape) by computing;
it may answer None: undecided. The conventions are listed and tested one by one in
tests/unit/workers/grading_conventions.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from labeling.domain.answers.notation import normalize
from labeling.domain.answers.numbers import equal_numbers, number
from labeling.domain.answers.pieces import Ask, same_as_lone_number, same_pieces
from labeling.domain.answers.shapes import (
    Matrix,
    Named,
    Piece,
    Relation,
    Series,
    Shape,
    Union,
    read_shape,
    split,
)
from labeling.domain.answers.stated import MAX_ANSWER, final_answer
from labeling.domain.answers.words import is_text, same_choice, same_words

MAX_ITEMS = 100
"""Longer lists are compared in their order only: unordered comparison takes the square."""


def undecided(gold: str, prediction: str) -> None:
    """Answer no question: what plain rules cannot say stays None."""


def equal(gold: str, prediction: str, ask: Ask = undecided) -> bool | None:
    """Compare a prediction with the gold answer; None where `ask` left it undecided.

    The gold answer says what form is wanted: a prediction may name what it computed
    ("x + y = 5" for 5), the gold equation "x + y = 5" is not answered by 5. What is longer than
    MAX_ANSWER is no answer, and equal only to itself.
    """
    if max(len(gold), len(prediction)) > MAX_ANSWER:
        return gold == prediction
    first, second = number(_bare(gold)), number(_bare(prediction))
    if first is not None and second is not None:
        said = equal_numbers(first, second)
        if said is not None:
            return said
    expected, found = _read(gold), _read(prediction)
    if not expected.text or not found.text:
        return False
    choice = same_choice(expected.text, found.text)
    if choice is not None:
        return choice
    if isinstance(expected, Piece) and same_as_lone_number(expected.text, found.text):
        return True
    said = _same(expected, found, undecided)
    return _same(expected, found, ask) if said is None else said


def _bare(answer: str) -> str:
    """Strip the marks around plain numbers; most answers are such, and need no more."""
    return answer.strip(" \n$").replace(r"\dfrac", r"\frac")


@lru_cache(maxsize=4_096)
def _read(answer: str) -> Shape:
    return read_shape(normalize(final_answer(answer) or answer))


def _same(gold: Shape, found: Shape, ask: Ask) -> bool | None:
    if gold.text == found.text:
        return True
    if isinstance(gold, Named | Relation) or isinstance(found, Named | Relation):
        return _same_relations(gold, found, ask)
    if isinstance(gold, Piece) and isinstance(found, Piece):
        return _same_pieces(gold, found, ask)
    if isinstance(gold, Union) or isinstance(found, Union):
        return _same_unions(gold, found, ask)
    if isinstance(gold, Piece) or isinstance(found, Piece):
        return _same_as_piece(gold, found, ask)
    if isinstance(gold, Series) and isinstance(found, Series):
        return _same_series(gold, found, ask)
    return _same_matrices(gold, found, ask)


# -- names and relations


def _same_relations(gold: Shape, found: Shape, ask: Ask) -> bool | None:
    if isinstance(gold, Named) and isinstance(found, Named):
        return _same_named(gold, found, ask)
    if isinstance(gold, Named | Relation) and isinstance(found, Named | Relation):
        return ask(gold.text, found.text)
    if isinstance(gold, Named):
        return _same(gold.value, found, ask)
    if isinstance(found, Named):
        return _same(gold, found.value, ask)
    if isinstance(found, Relation) and found.last is not None:
        return _same(gold, found.last, ask)
    if isinstance(gold, Relation) and gold.last is not None:
        return False
    return ask(gold.text, found.text)


def _same_named(gold: Named, found: Named, ask: Ask) -> bool | None:
    if gold.name == found.name or "\\text" in gold.name + found.name:
        return _same(gold.value, found.value, ask)
    calls = _CALL.fullmatch(gold.name), _CALL.fullmatch(found.name)
    if calls[0] and calls[1] and calls[0]["head"] == calls[1]["head"]:
        bound = rf"(?<![A-Za-z\\]){calls[1]['argument']}(?![A-Za-z])"
        renamed = re.sub(bound, calls[0]["argument"], found.value.text)
        return _same(gold.value, read_shape(renamed), ask)
    if "=" in gold.text and "=" in found.text and gold.name in found.text:
        return ask(gold.text, found.text)  # "y = 2x" and "x = y/2"
    return False


_CALL = re.compile(r"(?P<head>.+)\((?P<argument>[a-z])\)")


# -- lists, tuples, sets, intervals, matrices


def _same_series(gold: Series, found: Series, ask: Ask) -> bool | None:
    marks = {gold.marks, found.marks}
    if "⦃⦄" in marks and marks <= {"⦃⦄", ""}:
        return _all((_within(gold.items, found.items, ask), _within(found.items, gold.items, ask)))
    if len(gold.items) != len(found.items):
        return False
    if marks == {""} and len(gold.items) <= MAX_ITEMS and not _is_assignment(gold, found):
        return _same_bags(gold.items, found.items, ask)
    are_lists = len(gold.items) > 2 or gold.marks == ""  # "[1,2]" alone is an interval
    if len(marks) == 1 or marks == {"", "()"} or (marks <= {"", "()", "[]"} and are_lists):
        return _same_rows(gold.items, found.items, ask)
    return False


def _is_assignment(gold: Series, found: Series) -> bool:
    """Say whether one list alone names its values, differently ("x=1, y=2" and "1, 2")."""
    names = [{item.name for item in series.items if isinstance(item, Named)}
             for series in (gold, found)]  # fmt: skip
    less, more = sorted(names, key=len)
    return not less and len({re.split(r"[_(']", name)[0] for name in more}) > 1


def _same_bags(gold: Sequence[Shape], found: Sequence[Shape], ask: Ask) -> bool | None:
    """Pair the items off in any order."""
    left, is_open = list(found), False
    for item in gold:
        answers = []
        for index, other in enumerate(left):
            answers.append(_same(item, other, ask))
            if answers[-1]:
                del left[index]
                break
        else:
            if None not in answers:
                return False
            is_open = True
    return None if is_open else True


def _within(items: Sequence[Shape], others: Sequence[Shape], ask: Ask) -> bool | None:
    if len(items) * len(others) > MAX_ITEMS**2:
        return False
    return _all(_any(_same(item, other, ask) for other in others) for item in items)


def _same_rows(gold: Sequence[Shape], found: Sequence[Shape], ask: Ask) -> bool | None:
    if len(gold) != len(found):
        return False
    return _all(_same(a, b, ask) for a, b in zip(gold, found, strict=True))


def _same_unions(gold: Shape, found: Shape, ask: Ask) -> bool | None:
    parts, others = _parts(gold), _parts(found)
    if parts and len(parts) == len(others) and _same_bags(parts, others, ask):
        return True
    return ask(gold.text, found.text)


def _parts(shape: Shape) -> Sequence[Shape]:
    if isinstance(shape, Union) or (isinstance(shape, Series) and not shape.marks):
        return shape.items
    return ()


def _same_matrices(gold: Shape, found: Shape, ask: Ask) -> bool | None:
    """Compare matrices; a list may be a vector (a row or a column) or a list of rows."""
    vectors = _vector(gold), _vector(found)
    is_flat = any(
        isinstance(side, Series) and side.marks in ("", "()", "[]") for side in (gold, found)
    )
    if is_flat and vectors[0] and vectors[1]:
        return _same_rows(*vectors, ask)
    rows, others = _rows(gold), _rows(found)
    if len(rows) != len(others):
        return False
    return _all(_same_rows(a, b, ask) for a, b in zip(rows, others, strict=True))


def _vector(shape: Shape) -> Sequence[Shape]:
    """Return the entries of a vector in whichever writing; empty where it is none."""
    if isinstance(shape, Series):
        return shape.items if not any(isinstance(item, Series) for item in shape.items) else ()
    rows = _rows(shape)
    return [cell for row in rows for cell in row] if len(rows) == 1 or len(rows[0]) == 1 else ()


def _rows(shape: Shape) -> Sequence[Sequence[Shape]]:
    if isinstance(shape, Matrix):
        return shape.rows
    items = shape.items if isinstance(shape, Series) else ()
    return [item.items if isinstance(item, Series) else () for item in items]


# -- pieces


def _same_pieces(gold: Piece, found: Piece, ask: Ask) -> bool | None:
    lists = _comma_list(gold), _comma_list(found)
    if lists[0] and lists[1]:
        return _same_series(lists[0], lists[1], ask)
    return same_pieces(gold.text, found.text, ask)


def _same_as_piece(gold: Shape, found: Shape, ask: Ask) -> bool | None:
    """Compare a piece with what has parts: "1,2" may be a list, {5} is its only element."""
    piece, other = (gold, found) if isinstance(gold, Piece) else (found, gold)
    as_list = _comma_list(piece) if isinstance(piece, Piece) else None
    if as_list is not None:
        return _same(as_list, other, ask) if piece is gold else _same(other, as_list, ask)
    if isinstance(other, Series) and other.marks == "⦃⦄":
        if len(other.items) == 1:
            return _same(other.items[0], piece, ask)
        if not other.items:
            return same_words("∅", piece.text) or piece.text == "∅"
    if number(piece.text) is not None or is_text(piece.text):
        return False
    return ask(gold.text, found.text)


def _comma_list(piece: Piece) -> Series | None:
    """Return "1,2" as a list; None where the text is not a number with a comma."""
    read = number(piece.text)
    if read is None or not read.has_comma:
        return None
    return Series(piece.text, "", tuple(Piece(part) for part in split(piece.text, ",")))


def _all(answers: Iterable[bool | None]) -> bool | None:
    said: bool | None = True
    for answer in answers:
        if answer is False:
            return False
        if answer is None:
            said = None
    return said


def _any(answers: Iterable[bool | None]) -> bool | None:
    said: bool | None = False
    for answer in answers:
        if answer:
            return True
        if answer is None:
            said = None
    return said
