"""Names of the input formats of served PRMs; trainer.formats defines them (a test holds the two
together: the web process must not load tokenizers)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from labeling.domain.phrases import marked

PRM_FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "checkpoint": marked("a checkpoint of this project's trainer"),
        "qwen-prm": marked("Qwen2.5-Math-PRM: <extra_0> behind each step"),
        "trl": marked("TRL's PRMTrainer: a line's end behind each step"),
        "trl-paragraphs": marked("TRL's PRMTrainer with a blank line as separator"),
        "math-shepherd": marked("Math-Shepherd: + or - at the tag ки"),
    }
)
"""What each format is, in short."""
