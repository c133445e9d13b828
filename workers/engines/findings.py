"""What a check of an engine found, in words for whoever set it up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    """How a check went: well, with something to know, or in a way that spoils labels."""

    OK = "ok"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was found, and, unless all is well, what it means and what to do."""

    check: str
    state: State
    said: str
    advice: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)


def ok(check: str, said: str, **figures: float) -> Finding:
    """Return a finding that all is well."""
    return Finding(check, State.OK, said, figures=figures)


def note(check: str, said: str, advice: str, **figures: float) -> Finding:
    """Return a finding to know about."""
    return Finding(check, State.NOTE, said, advice, figures)


def bad(check: str, said: str, advice: str, **figures: float) -> Finding:
    """Return a finding that something must be changed."""
    return Finding(check, State.BAD, said, advice, figures)


def shown(text: str, most: int = 60) -> str:
    """Return the beginning of a text on one line, in quotation marks."""
    line = " ".join(text.split())
    return f"“{line[:most]}…”" if len(line) > most else f"“{line}”"
