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
from labeling.domain.exports.rows import NotCarried, Row, Written
from labeling.domain.phrases import marked
from labeling.domain.refusals import Invalid

__all__ = ["FORMATS", "Format", "NotCarried", "Row", "Written", "format_named"]


@dataclass(frozen=True, slots=True)
class Format:
    """A format by its name and title; `lacks` says what every row of it goes without.

    `ending` of its files: jsonl, json (one array) or parquet, which has no writer: its rows are
    the native ones.
    """

    name: str
    title: str
    lacks: str
    ending: str = "jsonl"
    write: Callable[[Row, bool], Written] = lambda row, _soft: Written(dict(row))


FORMATS = (
    Format("parquet", marked("Parquet"), marked("nothing: the native rows in columns"), "parquet"),
    Format(
        "trl",
        marked("TRL stepwise"),
        marked("counts, answers, provenance, neutral steps"),
        write=stepwise.write,
    ),
    Format(
        "qwen",
        marked("Qwen PRM messages"),
        marked("counts, answers, provenance, neutral steps"),
        write=messages.write,
    ),
    Format(
        "math-shepherd",
        "Math-Shepherd",
        marked("counts, answers, provenance, neutral steps, white space around steps"),
        write=shepherd.write,
    ),
    Format(
        "prm800k",
        "PRM800K",
        marked("counts, labels after the first error, whether the final answer is right"),
        write=prm800k.write,
    ),
    Format(
        "processbench",
        "ProcessBench",
        marked("labels but the first error, counts, answers, provenance"),
        "json",
        processbench.write,
    ),
    Format(
        "judge-chains",
        marked("judge chains"),
        marked("solutions without a judge's words; freeze with critiques"),
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
