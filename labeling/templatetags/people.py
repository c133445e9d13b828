"""Words and signs for what people answered. Always a sign and a word together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.translation import gettext_lazy as _

from labeling.domain.assignments import GoldUse, Purpose
from labeling.domain.exams import Standing
from labeling.domain.quality import Against, Outcome

register = template.Library()

_OUTCOMES = {
    Outcome.EXACT: ("right", "✓", _("right")),
    Outcome.LATE: ("unsure", "→", _("too late")),
    Outcome.EARLY: ("unsure", "←", _("too early")),
    Outcome.MISSED: ("wrong", "✗", _("error missed")),
    Outcome.FALSE_ALARM: ("wrong", "✗", _("false alarm")),
}
_AGAINST = {
    Against.EXAM: _("exam"),
    Against.GOLD: _("hidden gold"),
    Against.ADJUDICATION: _("adjudicated later"),
}
_PURPOSES = {
    Purpose.LABEL: _("labeling"),
    Purpose.AUDIT: _("audit"),
    Purpose.GOLD: _("hidden gold"),
    Purpose.EXAM: _("exam"),
}
_USES = {GoldUse.EXAM: _("exam"), GoldUse.HIDDEN: _("hidden")}
_DOINGS = {
    "submitted": _("submitted"),
    "fast": _("faster than the policy allows"),
    "skipped": _("passed back"),
    "gave_up": _("passed back as too hard"),
    "reported": _("reported"),
    "noted": _("with a note"),
    "shared": _("labeled by others too"),
    "differed": _("labeled otherwise by others"),
}


@register.inclusion_tag("_components/badge.html")
def outcome(value: Outcome) -> dict[str, Any]:
    """Show how an answer relates to the key."""
    tone, sign, word = _OUTCOMES[value]
    return {"tone": tone, "sign": sign, "word": word, "style": "plain"}


@register.inclusion_tag("_components/badge.html")
def exam_state(standing: Standing) -> dict[str, Any]:
    """Show where somebody stands in the exam."""
    tone, sign, word = _exam(standing)
    return {"tone": tone, "sign": sign, "word": word, "style": "plain"}


@register.filter
def outcome_words(value: Outcome) -> Any:
    """Return an outcome in words."""
    return _OUTCOMES[value][2]


@register.filter
def against_words(value: Against) -> Any:
    """Return in words what answers are compared with."""
    return _AGAINST[value]


@register.filter
def purpose_words(value: Purpose) -> Any:
    """Return in words why an item was leased."""
    return _PURPOSES[value]


@register.filter
def use_words(value: GoldUse) -> Any:
    """Return in words where a gold item serves."""
    return _USES[value]


@register.filter
def doing_words(value: str) -> Any:
    """Return in words what somebody did with an item."""
    return _DOINGS[value]


@register.filter
def at(values: Mapping[Any, Any], key: Any) -> Any:
    """Return the value of a key, None where there is none."""
    return values.get(key)


def _exam(standing: Standing) -> tuple[str, str, Any]:
    if standing.required == 0:
        return "quiet", "·", _("no exam")
    if standing.passed:
        return "right", "✓", _("passed")
    if standing.failed:
        return "wrong", "✗", _("not passed")
    if standing.given:
        return "unsure", "…", _("under way")
    return "quiet", "·", _("not begun")
