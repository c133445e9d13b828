"""Render texts of data sets, models and people. The work is labeling.domain.rendering's."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString, mark_safe

from labeling.domain import rendering

register = template.Library()


@register.filter
def prose(text: str | None) -> SafeString:
    """Render a problem, step, rollout or critique."""
    return mark_safe(rendering.prose(text or ""))  # noqa: S308 - sanitized there


@register.filter
def line(text: str | None) -> SafeString:
    """Render the beginning of a text on one line, for lists."""
    return mark_safe(rendering.line(text or ""))  # noqa: S308 - escaped there


@register.filter
def document(text: str | None) -> SafeString:
    """Render Markdown that a manager wrote."""
    return mark_safe(rendering.document(text or ""))  # noqa: S308 - sanitized there
