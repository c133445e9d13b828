"""Read rows whose columns have other names: which column is which native field."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from labeling.domain.formats.rows import Row, RowError
from labeling.domain.refusals import Invalid

FIELDS = (
    "problem",
    "answer",
    "steps",
    "response",
    "label",
    "step_labels",
    "labelled_by",
    "final_answer_correct",
    "generator",
    "problem_id",
    "solution_id",
    "source",
    "licence",
)
"""Native fields that a column can be mapped to."""

ALIASES = {
    "question": "problem",
    "prompt": "problem",
    "gold": "answer",
    "ground_truth": "answer",
    "completion": "response",
    "license": "licence",
}
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_LISTS = frozenset({"steps", "step_labels"})

Columns = Mapping[str, str]
"""Column by native field."""


def guess(columns: Iterable[str]) -> dict[str, str]:
    """Return the mapping that the columns' names suggest; it may lack the problem."""
    found: dict[str, str] = {}
    for column in columns:
        name = column.strip().casefold()
        field = name if name in FIELDS else ALIASES.get(name)
        if field is not None:
            found.setdefault(field, column)
    return found


def check(mapping: Columns, columns: Iterable[str]) -> None:
    """Raise Invalid for unknown fields or columns, and where no column is the problem."""
    known = list(columns)
    unknown = sorted(set(mapping) - set(FIELDS))
    if unknown:
        raise Invalid(
            "mapping: {unknown} is no field; there are {fields}",
            unknown=", ".join(unknown),
            fields=", ".join(FIELDS),
        )
    absent = sorted({column for column in mapping.values() if column not in known})
    shown = ", ".join(known)[:300]
    if absent:
        raise Invalid(
            "mapping: the file has no column {absent}; it has {shown}",
            absent=", ".join(absent),
            shown=shown,
        )
    if "problem" not in mapping:
        raise Invalid("say which column is the problem; the file has {shown}", shown=shown)


def as_native(row: Row, mapping: Columns) -> dict[str, Any]:
    """Return the row with native names; texts, as CSV has them, become what the field needs."""
    native: dict[str, Any] = {}
    for field, column in mapping.items():
        value = row.get(column)
        if isinstance(value, str):
            value = _typed(field, value)
        if value is not None:
            native[field] = value
    return native


def _typed(field: str, cell: str) -> Any:
    text = cell.strip()
    if field == "label":
        return _whole(text, cell) if text else None
    if field == "final_answer_correct":
        return _TRUTHS.get(text.casefold(), cell) if text else None
    if field in _LISTS:
        return _list(field, text) if text else None
    return cell or None


def _whole(text: str, cell: str) -> int | str:
    digits = text.removeprefix("-").removesuffix(".0")
    number = digits.isascii() and digits.isdecimal() and len(digits) < 8
    return int(text.removesuffix(".0")) if number else cell


def _list(field: str, text: str) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RowError("{field}: a JSON list is expected in the cell", field=field) from error
    return value
