"""Where the domain's English meets the reader's language."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext

from labeling.domain.phrases import Phrase, Spoken


def said(what: Any) -> Any:
    """Return a phrase, a refusal or a marked text in the language of the request.

    Anything else, a number for example, comes back as it is.
    """
    if isinstance(what, Spoken):
        return said(what.phrase)
    if isinstance(what, Phrase):
        words = gettext(what.message) if what.message else ""
        if not what.values:
            return words
        return words.format(**{name: said_value(value) for name, value in what.values.items()})
    return gettext(what) if isinstance(what, str) and what else what


def said_value(value: Any) -> Any:
    """Return what fills a place: a phrase in the reader's language, a text of people as it is."""
    return said(value) if isinstance(value, Phrase | Spoken) else value
