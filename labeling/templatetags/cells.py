"""Counts that lead to the solutions behind them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from labeling.domain.phrases import marked
from labeling.domain.statistics.intervals import Proportion
from labeling.templatetags.marks import thousands

register = template.Library()

_STEP = {1: marked("correct"), 0: marked("unsure"), -1: marked("wrong")}


@register.simple_tag(takes_context=True)
def behind(context: Any, n: int, **filters: Any) -> str | SafeString:
    """Return a count that leads to the list of solutions narrowed so; 0 leads nowhere."""
    words = thousands(n)
    if not n:
        return words
    wanted = urlencode({name: str(value) for name, value in filters.items() if value != ""})
    address = reverse("solutions", args=[context["project"].uid])
    # data-count: a test holds every cell of every page against the list that it leads to
    return format_html('<a href="{}?{}" data-count="{}">{}</a>', address, wanted, int(n), words)


@register.simple_tag(takes_context=True)
def behind_share(
    context: Any, found: Proportion, part: str, whole: str = "", **filters: Any
) -> SafeString:
    """Return "69 / 110", each leading to its solutions: `part`, `whole` are "name=value"."""
    first = behind(context, int(found.part), **filters, **_named(part))
    return format_html(
        "{} / {}", first, behind(context, int(found.whole), **filters, **_named(whole))
    )


def _named(text: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in text.split("&")) if text else {}


@register.simple_tag(takes_context=True)
def behind_steps(context: Any, n: int, one: str, other: str, a: int, b: int) -> str | SafeString:
    """Return a count of steps that two sides label `a` and `b`, leading to their solutions."""
    return behind(context, n, one=one, other=other, steps=f"{a},{b}")


@register.simple_tag(takes_context=True)
def behind_group(
    context: Any, found: Proportion, side: str, dimension: str, group: str
) -> SafeString | str:
    """Return "wrong / checked" labels of a side in one group; without a name it has no list."""
    if not group:
        return f"{thousands(int(found.part))} / {thousands(int(found.whole))}"
    return behind_share(
        context, found, "stands=wrong", "stands=any", one=side, **{dimension: group}
    )


@register.filter
def step_word(label: int) -> str:
    """Return "correct", "unsure" or "wrong"."""
    return gettext(_STEP[label])
