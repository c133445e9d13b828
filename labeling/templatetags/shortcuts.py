"""The reader's keys on buttons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.urls import reverse

from labeling.domain.shortcuts import (
    SIDES,
    USUAL_ADJUDICATION_KEYS,
    USUAL_KEYS,
    stored_preferences,
)
from labeling.models import User

register = template.Library()


@register.simple_tag
def ways_of(user: User) -> dict[str, Any]:
    """Return the person's ways where they label, the usual keys, and where to keep other ones."""
    chosen = stored_preferences(user.preferences).to_dict()
    return _ways(chosen, "keys", USUAL_KEYS) | {"evidence": chosen["evidence"]}


@register.simple_tag
def deciding_ways_of(user: User) -> dict[str, Any]:
    """Return the person's ways where they decide, as `ways_of`."""
    chosen = stored_preferences(user.preferences).to_dict()
    return _ways(chosen, "adjudication", USUAL_ADJUDICATION_KEYS)


def _ways(chosen: Mapping[str, Any], place: str, usual: Mapping[str, str]) -> dict[str, Any]:
    return {
        "place": place,
        "keys": chosen[place],
        "usual": dict(usual),
        "off": chosen["off"],
        "url": reverse("preferences"),
    }


@register.filter
def sides(keys: Mapping[str, str]) -> list[tuple[int, str, str]]:
    """Return number, action and key of each side that has one."""
    return [(number, f"side_{number}", keys[f"side_{number}"]) for number in range(1, SIDES + 1)]


@register.filter
def side_key(keys: Mapping[str, str], number: int) -> str:
    """Return the key that takes this side; empty for one that has none."""
    return keys.get(f"side_{number}", "")


@register.filter
def cap(key: str) -> str:
    """Return what stands on the key: a capital letter is Shift and the letter."""
    return f"⇧{key.lower()}" if len(key) == 1 and key.isupper() else key
