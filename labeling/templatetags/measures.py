"""Statistics as pages show them: the value, its interval and the count, or why there is none."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from labeling.domain.statistics.intervals import Interval, MaybeInterval, Proportion
from labeling.domain.statistics.measures import Measured
from labeling.domain.statistics.undefined import Undefined
from labeling.language import said
from labeling.templatetags.marks import decimal, percent, thousands

register = template.Library()

_UNKNOWN = '<small class="quiet"><abbr class="undefined" tabindex="0" title="{}">—</abbr></small>'
_BAR = 100


@register.filter
def measure(found: Measured, digits: int = 3) -> SafeString:
    """Return "0.527 (0.310 to 0.702)"; a dash that says why where there is none."""
    if isinstance(found.value, Undefined):
        return format_html("{}", decimal(found.value))
    ends = _ends(found.interval, lambda end: decimal(end, digits))
    return format_html("{} {}", decimal(found.value, digits), ends)


@register.filter
def measure_percent(found: Measured) -> SafeString:
    """Return "92.7 % (90.1 to 94.8 %)" of a share."""
    if isinstance(found.value, Undefined):
        return format_html("{}", decimal(found.value))
    return format_html("{} {}", percent(found.value), _percents(found.interval))


@register.filter
def share(found: Any) -> SafeString:
    """Return "62.7 % (58.1 to 67.0 %)" of a proportion or precision."""
    value = percent(found.value)
    if isinstance(found.value, Undefined):
        return format_html("{}", value)
    return format_html("{} {}", value, _percents(found.interval))


@register.filter
def interval(found: Proportion) -> SafeString:
    """Return "(58.1 – 67.0 %)"; a dash that says why where there is none."""
    return _percents(found.interval)


@register.filter
def of(found: Proportion) -> str:
    """Return "69 of 110"."""
    return f"{thousands(found.part)} / {thousands(found.whole)}"


@register.filter
def bar(found: Proportion | float) -> str:
    """Return a share as a length from 0 to 100 for a drawing; 0 where undefined."""
    value = found.value if isinstance(found, Proportion) else found
    return "0" if isinstance(value, Undefined) else f"{_BAR * value:.2f}"


@register.filter
def space_above(part: int, whole: int) -> str:
    """Return what a column of part / whole leaves free above it, of 100."""
    return f"{_BAR - _BAR * part / whole:.2f}"


@register.filter
def low(found: Proportion) -> str:
    """Return the lower end of the interval as a place from 0 to 100."""
    ends = found.interval
    return f"{_BAR * ends.low:.2f}" if isinstance(ends, Interval) else "0"


@register.filter
def high(found: Proportion) -> str:
    """Return the upper end of the interval as a place from 0 to 100."""
    ends = found.interval
    return f"{_BAR * ends.high:.2f}" if isinstance(ends, Interval) else "0"


def _percents(interval: MaybeInterval) -> SafeString:
    return _ends(interval, lambda end: f"{100 * end:.1f}", " %")


def _ends(interval: MaybeInterval, shown: Any, unit: str = "") -> SafeString:
    if isinstance(interval, Undefined):
        return format_html(_UNKNOWN, said(str(interval)))
    words = f"({shown(interval.low)} – {shown(interval.high)}{unit})"
    return format_html('<small class="quiet nowrap">{}</small>', words)
