"""The input formats of process reward models: our own checkpoints' and the published ones.

A format turns a problem and its steps into token ids with exactly one step token per step, whatever
the texts hold; the same ids go to a model in memory or to a server.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from trainer.encoding import (
    SPEC_FILE,
    Encoded,
    Encoder,
    EncoderSpec,
    EncodingError,
    load_tokenizer,
    neutralize,
    read_spec,
    reserved_texts,
)

_NUMBERED = re.compile(r"\s*Step \d+\s*[:.]", re.IGNORECASE)


class StepEncoder(Protocol):
    """Turn solutions into token ids. `step_id` stands behind each step and nowhere else."""

    step_id: int

    @property
    def max_length(self) -> int:
        """The longest input in tokens."""
        ...

    def encode_many(self, items: Iterable[tuple[str, Sequence[str]]]) -> list[Encoded]:
        """Encode (problem, steps) pairs in order; see `Encoded.flaw` for those that do not fit."""
        ...


@dataclass(frozen=True, slots=True)
class Format:
    """One input format: how its encoder is made, and what `vllm serve` needs for it."""

    encoder: Callable[[Any, EncoderSpec], StepEncoder]
    spec: EncoderSpec | None = None
    """None: it travels with the checkpoint."""
    flags: tuple[str, ...] = ()
    """Flags of `vllm serve` besides those of `vllm_flags`."""


class MathShepherd:
    """Math-Shepherd's text: numbered steps in lines, each with the tag behind a space.

    The published code tokenizes the whole text, so that the tag's own token depends on the space
    before it; a text that holds the tag is broken up first.
    """

    def __init__(self, tokenizer: Any, spec: EncoderSpec) -> None:
        self._tokenizer = tokenizer
        self._tag = spec.step_token
        self._max_length = spec.max_length
        self._reserved = reserved_texts(tokenizer, spec.step_token)
        self.step_id: int = tokenizer(self._tag, add_special_tokens=False)["input_ids"][-1]
        if self.step_id == tokenizer.unk_token_id:
            raise EncodingError(f"the tokenizer does not know the token {self._tag!r}")

    @property
    def max_length(self) -> int:
        """The longest input in tokens."""
        return self._max_length

    def encode_many(self, items: Iterable[tuple[str, Sequence[str]]]) -> list[Encoded]:
        """Encode (problem, steps) pairs in order."""
        texts = [self._text(prompt, steps) for prompt, steps in items]
        tokens = self._tokenizer(texts, verbose=False)["input_ids"] if texts else []
        return [self._encoded(ids) for ids in tokens]

    def _text(self, prompt: str, steps: Sequence[str]) -> str:
        lines = [
            f"{'' if _NUMBERED.match(step) else f'Step {number}: '}{step}"
            for number, step in enumerate(steps, start=1)
        ]
        safe = [neutralize(text, self._reserved) for text in (prompt, *lines)]
        return f"{safe[0]} " + "\n".join(f"{line} {self._tag}" for line in safe[1:])

    def _encoded(self, ids: list[int]) -> Encoded:
        places = [place for place, token in enumerate(ids) if token == self.step_id]
        fitting = [place for place in places if place < self._max_length]
        return Encoded(ids[: self._max_length], fitting, len(places) - len(fitting))


CHECKPOINT = "checkpoint"

_SAYS_PLUS_OR_MINUS = "--hf-overrides '{}'".format(
    json.dumps({"method": "no_post_processing", "classifier_from_token": ["-", "+"]})
)

FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        # A checkpoint of this trainer says itself how to encode.
        CHECKPOINT: Format(Encoder),
        # Qwen2.5-Math-PRM.
        "qwen-prm": Format(Encoder, EncoderSpec("qwen-chat", "<extra_0>")),
        # TRL's PRMTrainer, with its default separator and with a blank line.
        "trl": Format(Encoder, EncoderSpec("bare", "\n")),
        "trl-paragraphs": Format(Encoder, EncoderSpec("bare", "\n\n")),
        # A causal model that says + or - at its tag.
        "math-shepherd": Format(
            MathShepherd, EncoderSpec("bare", "ки"), ("--convert classify", _SAYS_PLUS_OR_MINUS)
        ),
    }
)
"""The known formats by name. In all of them the second of two classes means right."""


def open_encoder(name: str, tokenizer: str | Path, max_length: int | None = None) -> StepEncoder:
    """Return a format's encoder with the tokenizer of a folder or a name on the hub.

    `max_length` in tokens; by default the model's context, where the folder says it. Raise
    `EncodingError` for an unknown format and for a tokenizer that does not know its step token.
    """
    if name not in FORMATS:
        raise EncodingError(f"format {name!r} is none of {', '.join(FORMATS)}")
    form, found = FORMATS[name], read_spec(tokenizer)
    if form.spec is None and not (Path(tokenizer) / SPEC_FILE).is_file():
        raise EncodingError(f"{tokenizer} is no checkpoint of this trainer: it has no {SPEC_FILE}")
    spec = found if form.spec is None else replace(form.spec, max_length=found.max_length)
    if max_length is not None:
        spec = replace(spec, max_length=max_length)
    return form.encoder(load_tokenizer(tokenizer), spec)


def vllm_flags(step_id: int, name: str = CHECKPOINT) -> str:
    """Return the flags with which `vllm serve` gives one row of two probabilities per step."""
    pooler = {"task": "token_classify", "tok_pooling_type": "STEP", "step_tag_id": step_id}
    own = f"--runner pooling --pooler-config '{json.dumps(pooler)}'"
    return " ".join((own, *FORMATS[name].flags))
