"""Read single fields of a row, checked: every refusal names the field."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from labeling.domain.answers import equal
from labeling.domain.formats.rows import Row, RowError
from labeling.domain.labels import LabelError, check_first_error, check_labels

TEXT_LIMIT = 200_000
"""Characters of one statement or step."""

STEP_LIMIT = 1000

ID_LIMIT = 200


def text_of(row: Row, name: str) -> str:
    """Return the field as text, "" where it is missing or null; numbers are written out."""
    value = row.get(name)
    if type(value) is str:
        plain = len(value) <= TEXT_LIMIT and value.isascii() and "\x00" not in value
        return value if plain else checked(value, name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise RowError(
            "{name}: a text is expected, not {kind}", name=name, kind=type(value).__name__
        )
    return checked(str(value), name)


def checked(text: str, name: str) -> str:
    """Return the text, or raise RowError where the database could not hold it."""
    if len(text) > TEXT_LIMIT:
        raise RowError(
            "{name}: {count} characters are more than {text_limit}",
            name=name,
            count=len(text),
            text_limit=TEXT_LIMIT,
        )
    if "\x00" in text:
        raise RowError("{name}: holds a NUL character", name=name)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            escaped = "\udc80" <= text[error.start] <= "\udcff"  # as Python decodes stray bytes
            what = "bytes that are not UTF-8" if escaped else "a lone surrogate, which is no text"
            raise RowError("{name}: holds {what}", name=name, what=what) from error
    return text


def statement_of(row: Row, name: str) -> str:
    """Return a problem's statement; it must not be blank."""
    text = text_of(row, name)
    if not text.strip():
        raise RowError("{name}: the statement is missing or empty", name=name)
    return text


def id_of(row: Row, *names: str) -> str:
    """Return the first of these fields that is an identifier, shortened to ID_LIMIT."""
    for name in names:
        value = row.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            return checked(str(value), name)[:ID_LIMIT]
    return ""


def steps_of(value: Any, name: str = "steps") -> tuple[str, ...]:
    """Return a list of steps, none of them blank."""
    if not isinstance(value, list | tuple) or not value:
        raise RowError("{name}: a list with at least one step is expected", name=name)
    if len(value) > STEP_LIMIT:
        raise RowError(
            "{name}: {count} steps are more than {step_limit}",
            name=name,
            count=len(value),
            step_limit=STEP_LIMIT,
        )
    if not _plainly_texts(value):
        _check_steps(value, name)
    return tuple(value)


def _plainly_texts(values: Sequence[Any]) -> bool:
    """Say whether a look at all steps together shows that each is fine: the usual, quick way."""
    try:
        whole = "".join(values)
    except TypeError:
        return False
    return (
        len(whole) <= TEXT_LIMIT
        and whole.isascii()
        and "\x00" not in whole
        and all(map(str.strip, values))
    )


def _check_steps(value: Sequence[Any], name: str) -> None:
    for index, step in enumerate(value):
        if not isinstance(step, str) or not step.strip():
            raise RowError("{name}: step {index} is empty or not a text", name=name, index=index)
        checked(step, f"{name}: step {index}")


def truth_of(row: Row, name: str) -> bool | None:
    """Return true, false or, where the field is missing or null, None."""
    value = row.get(name)
    if value is not None and not isinstance(value, bool):
        raise RowError(
            "{name}: {value} is neither true, false nor null", name=name, value=shown(value)
        )
    return value


def first_error_in(value: Any, step_count: int, name: str) -> int | None:
    """Return a first error (0-based, -1 none), or None for null."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise RowError("{name}: {value} is not a step index", name=name, value=shown(value))
    try:
        check_first_error(value, step_count)
    except LabelError as error:
        raise RowError("{name}: {error}", name=name, error=error) from error
    return value


def labels_in(value: Any, step_count: int, name: str) -> tuple[int | None, ...]:
    """Return labels from {-1, 0, 1, null}, one per step."""
    if not isinstance(value, list | tuple):
        raise RowError("{name}: a list with one label per step is expected", name=name)
    if not _NO_LABELS.isdisjoint(map(type, value)):
        raise RowError("{name}: only -1, 0, 1 and null are labels", name=name)
    try:
        check_labels(value, step_count)
    except LabelError as error:
        raise RowError("{name}: {error}", name=name, error=error) from error
    return tuple(value)


def share_in(value: Any, name: str) -> float:
    """Return a number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RowError("{name}: {value} is not a number", name=name, value=shown(value))
    if not (0 <= value <= 1) or math.isnan(value):
        raise RowError("{name}: {value} is outside 0..1", name=name, value=shown(value))
    return float(value)


def numbered_step(steps: Sequence[str], number: int) -> int | None:
    """Return the index of the step that calls itself "Step `number`".

    Where no step has a number in its text, the number counts the steps from 1. None: no such step.
    """
    numbers = [_NUMBERED.match(step) for step in steps]
    if not any(numbers):
        return number - 1 if 1 <= number <= len(steps) else None
    found = (index for index, match in enumerate(numbers) if match and int(match[1]) == number)
    return next(found, None)


def whole_number(value: Any) -> int | None:
    """Return an integer given as such or in digits, None for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        return int(value)
    return None


def equal_answers(given: str | None, reference: str) -> bool | None:
    """Say whether two answers are equal; None where plain rules cannot say or one is missing."""
    if given is None or not given.strip() or not reference.strip():
        return None
    return equal(reference, given)


def shown(value: Any) -> str:
    """Return a value as it stands in an error's text, in at most 60 characters."""
    if isinstance(value, dict | list):
        return type(value).__name__
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**50 else "a huge number"
    return text if len(text) <= 60 else text[:57] + "…"


_NO_LABELS = frozenset({bool, float})
_NUMBERED = re.compile(r"\W{0,6}step\s{0,3}(\d{1,6})\b", re.IGNORECASE)
_DIGITS = re.compile(r"\d{1,6}", re.ASCII)
