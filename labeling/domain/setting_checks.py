"""Checks that the settings of runs share. Each raises BadSetting, which names the field."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any

from labeling.domain.judging import JUDGE_TEMPLATES, ReplyForm, custom
from labeling.domain.monte_carlo import McMode
from labeling.domain.phrases import Phrase
from labeling.domain.refusals import Invalid
from labeling.domain.steps import BadPattern, SplitKind, SplitRule

LIMITS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "n": (1, 1024),
        "samples": (1, 1024),
        "votes": (1, 99),
        "max_tokens": (1, 131_072),
        "temperature": (0.0, 2.0),
        "audit_share": (0.0, 1.0),
        "threshold": (0.0, 1.0),
    }
)
"""Lowest and highest value of each number."""

LONGEST: Mapping[str, int] = MappingProxyType({"text": 20_000, "model": 500})
LONGEST_ELSE = 200
"""Characters of a text."""

_VERSIONED = re.compile(r"[-\w]{1,60}-v\d{1,9}", re.ASCII)


class BadSetting(Invalid):
    """A setting that is missing, unknown or out of range; `field` is its name."""

    code = "bad_setting"

    message_position = 2

    def __init__(self, field: str, words: str, /, **values: Any) -> None:
        self.field = field
        self.words = words if isinstance(words, Phrase) else Phrase(words, **values)
        super().__init__("{field}: {words}", field=field, words=self.words)


def settled(name: str, kind: str, value: Any) -> Any:
    """Return a value checked against its annotation; a whole temperature becomes a float.

    1 and 1.0 are one temperature, and must make one configuration.
    """
    return _READERS[kind](name, value)


def one_of(name: str, value: Any, known: Collection[str]) -> None:
    """Refuse anything but one of the known texts."""
    if not isinstance(value, str) or value not in known:
        raise BadSetting(
            name, "{value} is none of {known}", value=_shown(value), known=", ".join(known)
        )


def only_if(condition: bool, name: str, value: Any, where: str) -> None:
    """Refuse a value that is missing where the condition holds, or given where it does not."""
    if condition and value in (None, ""):
        raise BadSetting(name, "{where} needs it", where=Phrase(where))
    only_where(condition, name, value, where)


def only_where(condition: bool, name: str, value: Any, where: str) -> None:
    """Refuse a value that is given where the condition does not hold."""
    if not condition and value not in (None, ""):
        raise BadSetting(name, "belongs to {where} only", where=Phrase(where))


def needs_chance(name: str, count: int, temperature: float) -> None:
    """Refuse several samples of a greedy model: they would all be the same text."""
    if count > 1 and temperature == 0:
        raise BadSetting(
            "temperature", "at 0 all are the same: raise it, or set {name} to 1", name=name
        )


def own_wording(template: str, text: str, reply: str) -> None:
    """Check a judge's wording of a project's own, and its name "name-v2"."""
    if not _VERSIONED.fullmatch(template) or template in JUDGE_TEMPLATES:
        raise BadSetting(
            "template", "{template} is no name of a wording of one's own", template=_shown(template)
        )
    one_of("reply", reply, [str(form) for form in ReplyForm])
    try:
        custom(text, ReplyForm(reply))
    except Invalid as error:
        raise BadSetting("text", error.phrase) from error


def split_rule(split: str, pattern: str) -> None:
    """Check how texts are cut into steps."""
    if split:
        one_of("split", split, [str(kind) for kind in SplitKind])
    try:
        SplitRule(SplitKind(split or SplitKind.PARAGRAPHS), pattern)
    except BadPattern as error:
        raise BadSetting("pattern", error.phrase) from error


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise BadSetting(name, "{value} is not a text", value=_shown(value))
    longest = LONGEST.get(name, LONGEST_ELSE)
    if len(value) > longest:
        raise BadSetting(name, "is longer than {longest:,} characters", longest=longest)
    if any(ch == "\0" or "\ud800" <= ch <= "\udfff" for ch in value):
        raise BadSetting(name, "holds characters that cannot be stored")
    return value


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadSetting(name, "{value} is not a whole number", value=_shown(value))
    _within(name, value)
    return value


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadSetting(name, "{value} is not a number", value=_shown(value))
    _within(name, value)
    return float(value)


def _optional_number(name: str, value: Any) -> float | None:
    return None if value is None else _number(name, value)


def _yes_or_no(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadSetting(name, "{value} is neither true nor false", value=_shown(value))
    return value


def _mode(name: str, value: Any) -> McMode:
    one_of(name, value, [str(mode) for mode in McMode])
    return McMode(value)


_READERS: Mapping[str, Callable[[str, Any], Any]] = {
    "str": _text,
    "int": _whole,
    "float": _number,
    "float | None": _optional_number,
    "bool": _yes_or_no,
    "McMode": _mode,
}


def _within(name: str, value: float) -> None:
    low, high = LIMITS[name]
    if not low <= value <= high:  # so written, NaN is refused too
        raise BadSetting(
            name, "{value} is outside {low:g} to {high:g}", value=_shown(value), low=low, high=high
        )


def _shown(value: Any) -> str:
    return repr(value)[:80]
