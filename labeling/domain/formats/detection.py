"""The formats by name, and how a file's format is told from its rows, never from its name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from labeling.domain.formats import (
    chats,
    meta_reasoning,
    mistakes,
    native,
    omegaprm,
    prm800k,
    shepherd,
    stepwise,
)
from labeling.domain.formats.rows import ImportRow, Reading, Row, RowError
from labeling.domain.phrases import Phrase, marked
from labeling.domain.refusals import Invalid


@dataclass(frozen=True, slots=True)
class Format:
    """A format of rows: its name, what pages call it, whose labels it holds, and its reader."""

    name: str
    title: str
    labels: str
    fits: Callable[[Row], bool]
    read: Callable[[Row, Reading], Iterator[ImportRow]]
    asks_whose: bool = False
    """Its labels count only once the user has said who or what made them."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the name: functions may come from anywhere."""
        return format_named, (self.name,)


FIELDS_SHOWN = 12
_MC = marked("Monte-Carlo labels")
_PEOPLE = marked("labels by people")
_NONE = marked("no labels")
_LABELS = marked("labels")
FORMATS = (
    Format(
        "prm800k", "PRM800K", marked("labels by people, each named"), prm800k.fits, prm800k.read
    ),
    Format("mr-ben", "Mr-Ben", _PEOPLE, meta_reasoning.fits_mrben, meta_reasoning.read_mrben),
    Format(
        "mr-gsm8k",
        "MR-GSM8K",
        _PEOPLE,
        meta_reasoning.fits_mrgsm8k,
        meta_reasoning.read_mrgsm8k,
    ),
    Format(
        "bigbench-mistake",
        "BIG-Bench-Mistake",
        _PEOPLE,
        mistakes.fits_bigbench,
        mistakes.read_bigbench,
    ),
    Format("prmbench", "PRMBench", marked("a key"), mistakes.fits_prmbench, mistakes.read_prmbench),
    Format("omegaprm", marked("OmegaPRM trees"), _MC, omegaprm.fits, omegaprm.read),
    Format("math-shepherd", "Math-Shepherd", _MC, shepherd.fits, shepherd.read),
    Format("qwen", marked("Qwen PRM messages"), _LABELS, chats.fits_qwen, chats.read_qwen, True),
    Format(
        "judge-chains",
        marked("judge chains"),
        marked("labels by a judge, with its words"),
        chats.fits_chain,
        chats.read_chain,
    ),
    Format("trl", marked("TRL stepwise"), _LABELS, stepwise.fits_trl, stepwise.read_trl, True),
    Format(
        "record",
        marked("Training records"),
        _LABELS,
        stepwise.fits_record,
        stepwise.read_record,
        True,
    ),
    Format(
        "processbench",
        "ProcessBench",
        _PEOPLE,
        native.fits_processbench,
        native.read_processbench,
    ),
    Format("gsm8k", "GSM8K", _NONE, native.fits_gsm8k, native.read_gsm8k),
    Format("math", "MATH", _NONE, native.fits_math, native.read_math),
    Format("native", marked("Native"), _PEOPLE, native.fits_native, native.read_native),
)
_BY_NAME = {entry.name: entry for entry in FORMATS}


def format_named(name: str) -> Format:
    """Return the format, or raise Invalid."""
    if name not in _BY_NAME:
        raise Invalid(
            "format: {name!r} is none of {by_name}", name=name, by_name=", ".join(_BY_NAME)
        )
    return _BY_NAME[name]


def format_of(row: Any) -> Format | None:
    """Return the first format that the row fits."""
    if not isinstance(row, dict):
        return None
    return next((entry for entry in FORMATS if entry.fits(row)), None)


def detect(rows: Sequence[Any]) -> Format | None:
    """Return the format that most of the rows fit, None where none fits any."""
    votes = Counter(found.name for row in rows if (found := format_of(row)))
    return _BY_NAME[votes.most_common(1)[0][0]] if votes else None


def read_row(row: Any, reading: Reading, form: Format | None = None) -> Iterator[ImportRow]:
    """Read one parsed row as the given format, or as the one that it fits.

    Raise RowError where it cannot be read; what was yielded before then must be dropped.
    """
    if not isinstance(row, dict):
        raise RowError("a JSON object is expected")
    found = format_of(row) if form is None else form
    if found is None or not found.fits(row):
        known = ", ".join(sorted(row)[:FIELDS_SHOWN])[:300] or "none"
        what = Phrase("the statement is missing")
        if form is not None:
            what = Phrase("this is no row of {format}", format=form.title)
        raise RowError("problem: {what}; the row's fields: {known}", what=what, known=known)
    return found.read(row, reading)
