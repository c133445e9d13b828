"""Read the shape of an answer: lists, pairs, intervals, matrices, named values, plain pieces.

Shapes say only how an answer is put together; what makes two equal stands in equality.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from labeling.domain.answers.numbers import number

MAX_DEPTH = 8
"""Answers nested deeper are read as one piece."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What has no parts here: a number, a word, an expression."""

    text: str


@dataclass(frozen=True, slots=True)
class Series:
    """Items in a row; `marks` are its brackets: "" (none), "()", "[]", "⦃⦄", "[)", …"""

    text: str
    marks: str
    items: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows of cells."""

    text: str
    rows: tuple[tuple[Shape, ...], ...]


@dataclass(frozen=True, slots=True)
class Union:
    """Sets joined by ∪."""

    text: str
    items: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """A name and what it stands for: "x = 5", "f(x) = 2x", "x ∈ [0, 1]", "0 < x < 1"."""

    text: str
    name: str
    value: Shape


@dataclass(frozen=True, slots=True)
class Relation:
    """Any other relation; `last` is what a chain of equations ends in, None for other kinds."""

    text: str
    last: Shape | None


Shape = Piece | Series | Matrix | Union | Named | Relation


def read_shape(text: str, depth: int = 0) -> Shape:
    """Read a normal form (notation.normalize)."""
    if not text or depth > MAX_DEPTH or number(text) is not None:
        return Piece(text)
    parts = split(text, ";") if ";" in text else [text]
    if len(parts) == 1:
        parts = split(text, ",")
    if len(parts) > 1:
        return Series(text, "", tuple(_spread(parts, depth)))
    readers = (_relation, _union, _brackets, _matrix, _signs)
    return next((shape for read in readers if (shape := read(text, depth))), Piece(text))


def split(text: str, marks: str) -> list[str]:
    """Split at any of the marks that stands in no bracket, brace or environment."""
    parts, depth, begin = [], 0, 0
    for token in _TOKEN.finditer(text):
        sign = token[0]
        if sign in _OPENING or sign.startswith("\\begin"):
            depth += 1
        elif sign in _CLOSING or sign.startswith("\\end"):
            depth -= 1
        elif depth == 0 and sign in marks:
            parts.append(text[begin : token.start()].strip())
            begin = token.end()
    return [*parts, text[begin:].strip()]


_TOKEN = re.compile(r"\\begin\b|\\end\b|\\[A-Za-z]+|\\.|.", re.DOTALL)
_OPENING, _CLOSING = frozenset("([{⦃⟨"), frozenset(")]}⦄⟩")
_RELATIONS = "=<>≤≥≠≈∈"
_NAME = re.compile(
    r"(?:∠|\\triangle ?)?(?:[^\W\d_]|\\[A-Za-z]+ ?|[A-Za-z]{2,}(?: [A-Za-z]+)*"
    r"|\\(?:text|vec|bar|hat|overline|overrightarrow|widehat)\{[^{}]*\})"
    r"(?:_(?:\w|\{[^{}]*\}))?'*(?:\([^()=]{1,20}\))?"
)
_MATRIX = re.compile(
    r"\\begin\{(?P<kind>[pbB]?matrix|array|smallmatrix|cases)\}(?:\{[lcr|. ]*\})?"
    r"(?P<body>.*)\\end\{(?P=kind)\}",
    re.DOTALL,
)
_FLIPPED = str.maketrans("<>≤≥", "><≥≤")


def _spread(parts: list[str], depth: int) -> Iterator[Shape]:
    """Read the items of a list or a set: "a ± b" counts as two."""
    for part in parts:
        shape = read_shape(part, depth + 1)
        if "±" in part and isinstance(shape, Series) and not shape.marks:
            yield from shape.items
        else:
            yield shape


def _relation(text: str, depth: int) -> Shape | None:
    parts = split(text, _RELATIONS)
    if len(parts) == 1:
        return None
    signs = _signs_between(text, parts)
    if "≈" in signs:
        exact, _, rounded = text.partition("≈")
        stated = f"{exact}={rounded}" if _is_name(exact) else exact or rounded
        return read_shape(stated.strip(), depth + 1)
    if signs in ("=" * len(signs), "∈") and parts[-1]:
        value = read_shape(parts[-1], depth + 1)
        return Named(text, parts[0], value) if _is_name(parts[0]) else Relation(text, value)
    return _inequality(text, signs, parts, depth) or Relation(text, None)


def _signs_between(text: str, parts: list[str]) -> str:
    """Return the relation signs between the parts that `split` found."""
    signs, position = "", 0
    for part in parts[:-1]:
        position = text.index(part, position) + len(part)
        while text[position] not in _RELATIONS:
            position += 1
        signs += text[position]
        position += 1
    return signs


def _inequality(text: str, signs: str, parts: list[str], depth: int) -> Named | None:
    """Read "a < x ≤ b", "x < b" and "b > x" as intervals of x."""
    if signs[0] in ">≥":
        parts, signs = parts[::-1], signs[::-1].translate(_FLIPPED)
    if not set(signs) <= {"<", "≤"} or len(parts) > 3:
        return None
    if len(parts) == 2:
        if _is_name(parts[0]) == _is_name(parts[1]):
            return None
        parts, signs = (
            (["-∞", *parts], "<" + signs) if _is_name(parts[0]) else ([*parts, "∞"], signs + "<")
        )
    low, name, high = parts
    if not _is_name(name):
        return None
    marks = ("[" if signs[0] == "≤" else "(") + ("]" if signs[1] == "≤" else ")")
    ends = read_shape(low, depth + 1), read_shape(high, depth + 1)
    return Named(text, name, Series(f"{marks[0]}{low},{high}{marks[1]}", marks, ends))


def _is_name(text: str) -> bool:
    return text not in ("π", "e", "i") and all(map(_NAME.fullmatch, text.split(":")))


def _union(text: str, depth: int) -> Union | None:
    parts = split(text, "∪")
    if len(parts) == 1 or not all(parts):
        return None
    return Union(text, tuple(read_shape(part, depth + 1) for part in parts))


def _signs(text: str, depth: int) -> Series | None:
    """Read "a ± b" as the list "a + b, a - b"."""
    if "±" not in text:
        return None
    both = text.replace("±", "+").replace("∓", "-"), text.replace("±", "-").replace("∓", "+")
    return Series(text, "", tuple(read_shape(one.removeprefix("+"), depth + 1) for one in both))


def _brackets(text: str, depth: int) -> Shape | None:
    """Read "(…)", "[…]", "{…}", intervals such as "[…)" and "]…[" (as France writes "(…)")."""
    marks, inner = text[0] + text[-1], text[1:-1]
    if marks in ("][", "]]", "[["):
        marks = {"][": "()", "]]": "(]", "[[": "[)"}[marks]
        inner = inner if len(split(inner, ",;")) == 2 else "("
    elif text[0] not in _OPENING or text[-1] not in _CLOSING:
        return None
    if not _is_balanced(inner):
        return None
    items = split(inner, ";") if ";" in inner else split(inner, ",")
    if len(items) == 1 and (marks in ("{}", "()") or inner.startswith("\\begin")):
        return read_shape(inner, depth + 1) if inner else None
    if marks in ("{}", "⦃⦄"):
        return Series(text, "⦃⦄", tuple(_spread(items, depth)) if inner else ())
    marks = "()" if marks == "⟨⟩" else marks
    return Series(text, marks, tuple(read_shape(item, depth + 1) for item in items))


def _is_balanced(inner: str) -> bool:
    depth = 0
    for char in inner:
        depth += (char in _OPENING) - (char in _CLOSING)
        if depth < 0:
            return False
    return depth == 0


def _matrix(text: str, depth: int) -> Shape | None:
    match = _MATRIX.fullmatch(text)
    if match is None or "\\begin" in match["body"]:
        return None
    lines = [line.strip() for line in re.split(r"\\\\(?:\[[^\]]*\])?", match["body"])]
    lines = [line for line in lines if line]
    if match["kind"] == "cases":
        plain = lines and "&" not in match["body"]
        return Series(text, "", tuple(_spread(lines, depth))) if plain else None
    rows = [line.split("&") for line in lines]
    return Matrix(
        text, tuple(tuple(read_shape(cell.strip(), depth + 1) for cell in row) for row in rows)
    )
