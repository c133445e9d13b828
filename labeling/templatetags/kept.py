"""Parts of a page that come again and again: rendered once in a process, then remembered."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from django import template
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.template.context import Context
from django.utils.safestring import SafeString
from django.utils.translation import get_language

register = template.Library()

MOST = 512
"""Renderings that one place in a template remembers; beyond them it begins anew."""


@register.tag
def kept(parser: Parser, token: Token) -> Kept:
    """Remember what stands up to `endkept`; it may follow from the language and the values alone.

    `{% kept item.mode ways.keys %}…{% endkept %}`: nothing of a text, a person or a token belongs
    inside, unless it is named as a value.
    """
    values = [parser.compile_filter(bit) for bit in token.split_contents()[1:]]
    inside = parser.parse(("endkept",))
    parser.delete_first_token()
    return Kept(inside, values)


class Kept(template.Node):
    """The part and what it follows from."""

    def __init__(self, nodelist: NodeList, values: Sequence[FilterExpression]) -> None:
        self.nodelist = nodelist
        self._values = values
        self._renderings: dict[Hashable, SafeString] = {}

    def render(self, context: Context) -> SafeString:
        """Return the part as it was rendered the first time for these values."""
        which = (get_language(), *[_fixed(value.resolve(context)) for value in self._values])
        found = self._renderings.get(which)
        if found is None:
            if len(self._renderings) >= MOST:
                self._renderings.clear()
            found = self._renderings[which] = self.nodelist.render(context)
        return found


def _fixed(value: Any) -> Hashable:
    return tuple(value.items()) if isinstance(value, Mapping) else value
