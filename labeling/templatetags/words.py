"""The domain's words in the reader's language."""

from __future__ import annotations

from django import template

from labeling.language import said

register = template.Library()
register.filter("said", said)
