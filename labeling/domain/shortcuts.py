"""How a person works: which key means what where one labels and decides. Plain data, no storage.

The keys come back into pages and scripts: nothing but actions and keys that are known here passes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labeling.domain.phrases import Spoken

USUAL_KEYS: Mapping[str, str] = {
    "correct": "1",
    "unsure": "2",
    "wrong": "3",
    "first_error": "e",
    "rest_correct": "a",
    "rest_unsure": "d",
    "rest_wrong": "f",
    "next": "j",
    "previous": "k",
    "undo": "u",
    "redo": "U",
    "note": "n",
    "whole_note": "N",
    "problem": "p",
    "guidelines": "g",
    "skip": "s",
    "report": "r",
    "back": "b",
    "help": "?",
    "submit": "Enter",
}
"""The key of each action where one labels, as a browser names it; a capital letter is pressed with
Shift."""

SIDES = 9
"""Sides of a dispute that have a key, from the left."""

USUAL_ADJUDICATION_KEYS: Mapping[str, str] = {
    **{f"side_{number}": str(number) for number in range(1, SIDES + 1)},
    "no_error": "0",
    "first_error": "e",
    "next": "j",
    "previous": "k",
    "next_question": "d",
    "previous_question": "D",
    "evidence": "o",
    "reason": "r",
    "discard": "x",
    "correct_answer": "c",
    "take_back": "u",
    "pass": "s",
    "help": "?",
    "decide": "Enter",
}
"""The key of each action where one decides between sides."""

_USUAL = {"keys": USUAL_KEYS, "adjudication": USUAL_ADJUDICATION_KEYS}

NAMED_KEYS = frozenset(
    {
        "Enter", "Space", "Backspace", "Delete", "Insert", "PageUp", "PageDown", "ArrowLeft",
        "ArrowRight",
    }
)  # fmt: skip
"""Keys besides single printable signs. Arrows up and down always move between steps."""


class ShortcutError(Spoken, ValueError):
    """Preferences that cannot be kept; the text says which."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """A person's ways. `off`: single keys mean nothing, buttons alone work.

    `keys`: where they label; `adjudication`: where they decide. `evidence`: what others said is
    shown after each submit, where the policy allows it.
    """

    keys: Mapping[str, str] = field(default_factory=lambda: dict(USUAL_KEYS))
    off: bool = False
    evidence: bool = True
    adjudication: Mapping[str, str] = field(default_factory=lambda: dict(USUAL_ADJUDICATION_KEYS))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {
            "keys": dict(self.keys),
            "adjudication": dict(self.adjudication),
            "off": self.off,
            "evidence": self.evidence,
        }


def read_preferences(values: Mapping[str, Any]) -> Preferences:
    """Check preferences from a browser or the database; what is missing takes its usual value."""
    chosen = {place: _read_keys(place, values.get(place, {})) for place in _USUAL}
    for name in ("off", "evidence"):
        if not isinstance(values.get(name, False), bool):
            raise ShortcutError("{name}: yes or no is expected", name=name)
    return Preferences(
        off=values.get("off", False), evidence=values.get("evidence", True), **chosen
    )


def stored_preferences(values: Mapping[str, Any]) -> Preferences:
    """Read what was kept; the usual ways where an action since got a key that was given away."""
    try:
        return read_preferences(values)
    except ShortcutError:
        return Preferences()


def _read_keys(place: str, chosen: Any) -> Mapping[str, str]:
    if not isinstance(chosen, Mapping):
        raise ShortcutError("keys: keys by action are expected")
    for action, key in chosen.items():
        _check(place, action, key)
    keys = {**_USUAL[place], **chosen}
    _check_distinct(keys)
    return keys


def _check(place: str, action: Any, key: Any) -> None:
    if action not in _USUAL[place]:
        raise ShortcutError("{action!r} is no action", action=str(action)[:40])
    if not isinstance(key, str) or not (key in NAMED_KEYS or (len(key) == 1 and "!" <= key <= "~")):
        raise ShortcutError("{key!r} is no key that can be chosen", key=str(key)[:40])


def _check_distinct(keys: Mapping[str, str]) -> None:
    taken: dict[str, str] = {}
    for action, key in keys.items():
        if key in taken:
            raise ShortcutError(
                "the key {key} cannot mean both {one} and {other}",
                key=key,
                one=taken[key],
                other=action,
            )
        taken[key] = action
