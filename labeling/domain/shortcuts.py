"""How a person works on the annotate page: which key means what. Plain data, no storage.

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
"""The key of each action, as a browser names it; a capital letter is pressed with Shift."""

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
    """A person's ways on the annotate page. `off`: single keys mean nothing, buttons alone work.

    `evidence`: what others said is shown after each submit, where the policy allows it.
    """

    keys: Mapping[str, str] = field(default_factory=lambda: dict(USUAL_KEYS))
    off: bool = False
    evidence: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {"keys": dict(self.keys), "off": self.off, "evidence": self.evidence}


def read_preferences(values: Mapping[str, Any]) -> Preferences:
    """Check preferences from a browser or the database; what is missing takes its usual value."""
    chosen = values.get("keys", {})
    if not isinstance(chosen, Mapping):
        raise ShortcutError("keys: keys by action are expected")
    for action, key in chosen.items():
        _check(action, key)
    for name in ("off", "evidence"):
        if not isinstance(values.get(name, False), bool):
            raise ShortcutError("{name}: yes or no is expected", name=name)
    keys = {**USUAL_KEYS, **chosen}
    _check_distinct(keys)
    return Preferences(keys, values.get("off", False), values.get("evidence", True))


def _check(action: Any, key: Any) -> None:
    if action not in USUAL_KEYS:
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
