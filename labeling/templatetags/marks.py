"""Signs, words and numbers of labels, always sign and word together. Steps count from 1 here."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from labeling.domain.consensus import DecisionState
from labeling.domain.labels import NO_ERROR, LabelerKind, VerdictState
from labeling.domain.phrases import marked
from labeling.domain.statistics.undefined import Undefined
from labeling.language import said

register = template.Library()

PEOPLE = frozenset({LabelerKind.HUMAN, LabelerKind.ADJUDICATOR, LabelerKind.GOLD})
"""Kinds of labelers drawn filled; the others, machines, are drawn outlined."""

_STEP = {
    1: ("right", "✓", marked("correct")),
    0: ("unsure", "?", marked("unsure")),
    -1: ("wrong", "✗", marked("wrong")),
}
_STATES = {
    DecisionState.CONSENSUS: ("right", "="),
    DecisionState.DISPUTED: ("unsure", "≠"),
    DecisionState.ADJUDICATED: ("accent", "⚖"),
    DecisionState.DISCARDED: ("quiet", "⊘"),
    DecisionState.UNDECIDED: ("quiet", "…"),
}
_WITHOUT_VERDICT = {
    VerdictState.REJECTED: ("⊘", marked("rejected")),
    VerdictState.REFUTED: ("≠", marked("not the judge's")),
}
_UNITS = (
    (86400, marked("{count} d")),
    (3600, marked("{count} h")),
    (60, marked("{count} min")),
    (1, marked("{count} s")),
)
_NOTHING = (None, "")  # templates turn a missing key into ""
_DASH = '<abbr class="undefined" tabindex="0" title="{}">—</abbr>'


@register.inclusion_tag("_components/badge.html")
def verdict(kind: Any, state: Any, first_error: int | None) -> dict[str, str]:
    """Show a whole verdict: people's filled, machines' outlined."""
    style = "filled" if kind in PEOPLE else "outlined"
    if state == VerdictState.SCORED and first_error is not None:
        return {**_first_error(first_error), "style": style}
    sign, word = _WITHOUT_VERDICT.get(state, ("⊘", marked("unscored")))
    return {"tone": "quiet", "sign": sign, "word": gettext(word), "style": style}


@register.inclusion_tag("_components/badge.html")
def step_label(label: int | None, kind: Any = LabelerKind.HUMAN) -> dict[str, str]:
    """Show one step's label."""
    tone, sign, word = ("quiet", "·", marked("not judged")) if label is None else _STEP[label]
    style = "filled" if kind in PEOPLE else "outlined"
    return {"tone": tone, "sign": sign, "word": gettext(word), "style": style}


@register.inclusion_tag("_components/badge.html")
def decision(state: Any, first_error: int | None) -> dict[str, str]:
    """Show a decision: its state and, where decided, the first error."""
    tone, sign = _STATES[DecisionState(state)]
    word = gettext(str(state))
    if first_error is not None:
        said = _first_error(first_error)
        tone, word = said["tone"], f"{word}: {said['sign']} {said['word']}"
    return {"tone": tone, "sign": sign, "word": word, "style": "plain"}


@register.filter
def ordinal(index: int | None) -> int | str:
    """Return a step's number as people count."""
    return "—" if index is None else index + 1


@register.filter
def first_error_words(first_error: int | None) -> str:
    """Return "no error" or "step 3"."""
    return "—" if first_error is None else _first_error(first_error)["word"]


@register.filter
def percent(share: Any, digits: int = 1) -> str:
    """Return 0.9714 as "97.1 %"; a dash that says why where undefined."""
    return _dash(share) or f"{100 * share:.{digits}f} %"


@register.filter
def decimal(value: Any, digits: int = 3) -> str:
    """Return a number with so many digits; a dash that says why where undefined."""
    return _dash(value) or f"{value:.{digits}f}"


def _dash(value: Any) -> str:
    if isinstance(value, Undefined):
        return format_html(_DASH, said(value))
    return _undefined() if value in _NOTHING else ""


@register.filter
def thousands(value: int | None) -> str:
    """Return 12345 as "12,345"."""
    return _dash(value) or f"{value:,}"


@register.filter
def share_of(part: int, whole: int) -> str:
    """Return a part of a whole as "12.5 %"."""
    return percent(part / whole if whole else None)


@register.filter
def part_of(part: int, whole: int) -> str:
    """Return a part of a whole as a CSS percentage."""
    return f"{100 * part / whole:.2f}" if whole else "0"


@register.filter
def duration(seconds: float | None) -> str:
    """Return seconds as "3 min" or "2 h 5 min"."""
    if seconds in _NOTHING:
        return _undefined()
    if 0 < seconds < 1:
        return f"< {gettext('{count} s').format(count=1)}"
    return " ".join(_parts(seconds)[:2])


@register.filter
def ago(moment: datetime | None) -> SafeString:
    """Return how long ago, with the exact time on hover and focus."""
    if moment in _NOTHING:
        return _undefined()
    passed = max(timezone.now() - moment, timedelta())
    words = gettext("just now")
    if passed.total_seconds() >= 5:
        words = gettext("{time} ago").format(time=" ".join(_parts(passed.total_seconds())[:1]))
    exact = moment.strftime("%Y-%m-%d %H:%M:%S UTC")
    return format_html(
        '<time datetime="{}" title="{}" tabindex="0">{}</time>', moment.isoformat(), exact, words
    )


def _parts(seconds: float) -> list[str]:
    """Return a time in its units, the largest first."""
    left, parts = round(seconds), []
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(gettext(unit).format(count=count))
    return parts or [gettext("{count} s").format(count=0)]


def _undefined() -> SafeString:
    return format_html(_DASH, gettext("not defined"))


def _first_error(first_error: int) -> dict[str, str]:
    if first_error == NO_ERROR:
        return {"tone": "right", "sign": "✓", "word": gettext("no error")}
    return {
        "tone": "wrong",
        "sign": "✗",
        "word": gettext("step {number}").format(number=first_error + 1),
    }
