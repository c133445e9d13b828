"""The reader's keys on buttons."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse

from labeling.domain.shortcuts import USUAL_KEYS, Preferences, ShortcutError, read_preferences
from labeling.models import User

register = template.Library()


@register.simple_tag
def ways_of(user: User) -> dict[str, Any]:
    """Return the person's preferences, the usual keys, and where to keep other ones."""
    try:
        chosen = read_preferences(user.preferences)
    except ShortcutError:  # an action got a new usual key that the person had given to another
        chosen = Preferences()
    return {**chosen.to_dict(), "usual": dict(USUAL_KEYS), "url": reverse("preferences")}


@register.filter
def cap(key: str) -> str:
    """Return what stands on the key: a capital letter is Shift and the letter."""
    return f"⇧{key.lower()}" if len(key) == 1 and key.isupper() else key
