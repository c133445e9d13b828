"""What may be asked of a training: the trainer's options by name, and what they may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labeling.domain.setting_checks import BadSetting

SCRATCH = "scratch"
"""Backbone: random weights and a vocabulary from the data."""

_NUMBERS: Mapping[str, tuple[type, float, float]] = {
    "lr": (float, 1e-8, 1.0),
    "batch-size": (int, 1, 65_536),
    "iterations": (int, 1, 10_000_000),
    "seed": (int, 0, 2**31 - 1),
    "max-dropped": (float, 0.0, 1.0),
}
_WORDS: Mapping[str, tuple[str, ...]] = {
    "objective": ("hard", "soft"),
    "precision": ("auto", "bf16", "fp32"),
}
OPTIONS = (*_NUMBERS, *_WORDS)


def read(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options checked, floats as floats; raise BadSetting."""
    return {name: _checked(name, value) for name, value in values.items()}


def _checked(name: str, value: Any) -> Any:
    if name in _WORDS:
        if value not in _WORDS[name]:
            raise BadSetting(name, "is none of {known}", known=", ".join(_WORDS[name]))
        return value
    if name not in _NUMBERS:
        raise BadSetting(name[:80], "is none of {known}", known=", ".join(OPTIONS))
    kind, low, high = _NUMBERS[name]
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not (whole or (kind is float and isinstance(value, float))) or not low <= value <= high:
        raise BadSetting(name, "a number from {low} to {high} is expected", low=low, high=high)
    return kind(value)
