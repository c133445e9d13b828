"""Other formats of a release, each derived from its native rows: one small writer per format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from labeling.domain.exports import (
    critiques,
    messages,
    prm800k,
    processbench,
    shepherd,
    stepwise,
)
from labeling.domain.exports.rows import NotCarried, Part, Row, Written
from labeling.domain.phrases import marked
from labeling.domain.refusals import Invalid

__all__ = ["FORMATS", "Format", "NotCarried", "Part", "Row", "Written", "format_named"]


@dataclass(frozen=True, slots=True)
class Format:
    """A format by its name and title; `lacks` says what rows of it go without, always.

    `ending` of its files: jsonl, json (one array) or parquet, which has no writer: its rows are
    the native ones.
    """

    name: str
    title: str
    lacks: tuple[Part, ...]
    ending: str = "jsonl"
    write: Callable[[Row, bool], Written] = lambda row, _soft: Written(dict(row))


_PROVENANCE = (
    Part.COUNTS,
    Part.NEUTRAL,
    Part.AFTER,
    Part.REFERENCE,
    Part.ANSWER,
    Part.GENERATOR,
    Part.SOURCE,
    Part.PROBLEM_ID,
    Part.WHO,
)
FORMATS = (
    Format("parquet", marked("Parquet"), (), "parquet"),
    Format(
        "trl",
        marked("TRL stepwise"),
        (*_PROVENANCE, Part.FIRST_ERROR, Part.CORRECT, Part.SOLUTION_ID, Part.CRITIQUE),
        write=stepwise.write,
    ),
    Format(
        "qwen",
        marked("Qwen PRM messages"),
        (*_PROVENANCE, Part.SOLUTION_ID, Part.CRITIQUE),
        write=messages.write,
    ),
    Format(
        "math-shepherd",
        "Math-Shepherd",
        (*_PROVENANCE, Part.CORRECT, Part.SOLUTION_ID, Part.CRITIQUE, Part.SPACE),
        write=shepherd.write,
    ),
    Format(
        "prm800k",
        "PRM800K",
        (Part.COUNTS, Part.AFTER, Part.CRITIQUE),
        write=prm800k.write,
    ),
    Format(
        "processbench",
        "ProcessBench",
        (
            Part.COUNTS,
            Part.NEUTRAL,
            Part.AFTER,
            Part.REFERENCE,
            Part.ANSWER,
            Part.SOURCE,
            Part.PROBLEM_ID,
            Part.CRITIQUE,
            Part.WHO,
        ),
        "json",
        processbench.write,
    ),
    Format(
        "judge-chains",
        marked("judge chains"),
        (*_PROVENANCE, Part.CORRECT, Part.SOLUTION_ID),
        write=critiques.write,
    ),
)
_BY_NAME = {form.name: form for form in FORMATS}


def format_named(name: str) -> Format:
    """Return the format, or raise Invalid."""
    if name not in _BY_NAME:
        raise Invalid(
            "format: {name!r} is none of {by_name}", name=name, by_name=", ".join(_BY_NAME)
        )
    return _BY_NAME[name]
