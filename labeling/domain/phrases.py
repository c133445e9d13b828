"""Messages that a page says in its reader's language. Knows no languages: here all is English.

A message names its places, "the role {role} may not {action}", and its values come beside it, so
that an interface can look the message up and fill the translation with the same values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class Phrase(str):
    """A text in English that remembers the message it was made of, and the values of its places.

    A value may be a phrase, or an exception that holds one. Formats of the places ("{count:,}")
    hold in every language.
    """

    __slots__ = ("message", "values")
    message: str
    values: Mapping[str, Any]

    def __new__(cls, message: str, /, **values: Any) -> Phrase:
        values = {name: getattr(value, "phrase", value) for name, value in values.items()}
        made = super().__new__(cls, message.format(**values) if values else message)
        made.message, made.values = message, values
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self.message, dict(self.values))


def _again(message: str, values: Mapping[str, Any]) -> Phrase:
    return Phrase(message, **values)


def phrase_of(error: Exception) -> str:
    """Return the phrase of an exception that speaks to people, the text of any other."""
    return getattr(error, "phrase", None) or str(error)


def marked(text: str) -> str:
    """Return the text as it is; it is a message that an interface translates."""
    return text


class Spoken(Exception):
    """An exception whose text is for people: a message and the values of its places."""

    message_position: ClassVar[int] = 1
    """Where the message stands among the arguments of the class."""

    def __init__(self, message: str = "", /, **values: Any) -> None:
        self.phrase = message if isinstance(message, Phrase) else Phrase(message, **values)
        super().__init__(str(self.phrase))
