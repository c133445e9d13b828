"""Where the domain's English meets the reader's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from django.utils.functional import lazy
from django.utils.translation import gettext

from labeling.domain.phrases import Phrase, Spoken

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Words: TypeAlias = "StrOrPromise"
"""A text, perhaps one that is only translated when it is shown."""


def said(what: Any) -> Any:
    """Return a phrase, a refusal or a marked text in the language of the request.

    Anything else, a number for example, comes back as it is.
    """
    if isinstance(what, Spoken):
        return said(what.phrase)
    if isinstance(what, Phrase):
        return _said(what)
    return gettext(what) if isinstance(what, str) and what else what


said_lazy = lazy(said, str)
"""For what is defined once and shown in many languages: the choices of forms."""


def _said(phrase: Phrase) -> str:
    words = gettext(phrase.message) if phrase.message else ""
    if not phrase.values:
        return words
    # a value that is no phrase is a number, or a text of people and files: it stays as it is
    values = {k: _said(v) if isinstance(v, Phrase) else v for k, v in phrase.values.items()}
    return words.format(**values)
