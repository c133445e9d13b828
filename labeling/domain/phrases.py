"""Messages that a page says in its reader's language. Knows no languages: here all is English.

A message names its places, "the role {role} may not {action}", and its values come beside it, so
that an interface can look the message up and fill the translation with the same values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Phrase:
    """A message and what fills its places; a value may be a phrase itself. str() is English."""

    message: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message.format(**self.values) if self.values else self.message


def phrase(message: str, /, **values: Any) -> Phrase:
    """Return the message with its values, not yet said in any language."""
    return Phrase(message, values)


def marked(text: str) -> str:
    """Return the text as it is; it is a message that an interface translates."""
    return text


class Spoken(Exception):
    """An exception whose text is for people: a message and the values of its places."""

    message_position: ClassVar[int] = 1
    """Where the message stands among the arguments of the class."""

    def __init__(self, message: str | Phrase = "", /, **values: Any) -> None:
        self.phrase = message if isinstance(message, Phrase) else Phrase(message, values)
        super().__init__(str(self.phrase))
