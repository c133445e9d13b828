"""Keep how a person works: their own choice, on every machine that they sign in on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from labeling.domain.refusals import Invalid
from labeling.domain.shortcuts import (
    Preferences,
    ShortcutError,
    read_preferences,
    stored_preferences,
)
from labeling.models import User
from labeling.services import events


@transaction.atomic
def save(*, by: User, values: Mapping[str, Any]) -> Preferences:
    """Change `by`'s preferences; raise Invalid for anything that is not allowed.

    What `values` does not name stays: each page knows its own keys.
    """
    try:
        chosen = read_preferences({**stored_preferences(by.preferences).to_dict(), **values})
    except ShortcutError as error:
        raise Invalid(error.phrase) from error
    by.preferences = {**by.preferences, **chosen.to_dict()}
    by.save(update_fields=["preferences"])
    events.record(by=by, action="preferences saved", **chosen.to_dict())
    return chosen


@transaction.atomic
def speak(*, by: User, language: str) -> None:
    """Keep the language that `by`'s pages speak; which there are, the caller has checked."""
    by.preferences = {**by.preferences, "language": language}
    by.save(update_fields=["preferences"])
    events.record(by=by, action="language chosen", language=language)
