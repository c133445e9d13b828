"""The input formats of process reward models: our own checkpoints' and the published ones.

A format turns a problem and its steps into token ids with exactly one step token per step, whatever
the texts hold; the same ids go to a model in memory or to a server.
"""

from __future__ import annotations

import json
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
    read_spec,
)
from trainer.published import MathShepherd, RLHFlow, Skywork
from trainer.serving import pooling_flags


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
    flags: Callable[[Any], str] | None = None
    """Gives, for the encoder, flags of `vllm serve` besides those of every PRM."""


CHECKPOINT = "checkpoint"


def _says_plus_or_minus(encoder: MathShepherd) -> str:
    overrides = {"method": "no_post_processing", "classifier_from_token": encoder.sign_tokens}
    return f"--convert classify --hf-overrides '{json.dumps(overrides, ensure_ascii=False)}'"


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
        "math-shepherd": Format(MathShepherd, EncoderSpec("bare", "ки"), _says_plus_or_minus),
    }
)
"""The formats that vLLM serves, by name. In all of them the second of two classes means right."""

LOCAL_FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        **FORMATS,
        # Skywork-o1-Open-PRM: vLLM has no such head, and no token of its own ends a step.
        "skywork": Format(Skywork, EncoderSpec("bare", "\n")),
        # RLHFlow's Llama3.1-8B-PRM: scores stand where answers begin, not at a token of their own.
        "rlhflow": Format(RLHFlow, EncoderSpec("bare", "+")),
    }
)
"""The formats that a model in memory reads: those, and what no server can serve."""


def open_encoder(name: str, tokenizer: str | Path, max_length: int | None = None) -> StepEncoder:
    """Return a format's encoder with the tokenizer of a folder or a name on the hub.

    `max_length` in tokens; by default the model's context, where the folder says it. Raise
    `EncodingError` for an unknown format and for a tokenizer that does not know its step token.
    """
    if name not in LOCAL_FORMATS:
        raise EncodingError(f"format {name!r} is none of {', '.join(LOCAL_FORMATS)}")
    form, found = LOCAL_FORMATS[name], read_spec(tokenizer)
    if form.spec is None and not (Path(tokenizer) / SPEC_FILE).is_file():
        raise EncodingError(f"{tokenizer} is no checkpoint of this trainer: it has no {SPEC_FILE}")
    spec = found if form.spec is None else replace(form.spec, max_length=found.max_length)
    if max_length is not None:
        spec = replace(spec, max_length=max_length)
    return form.encoder(load_tokenizer(tokenizer), spec)


def vllm_flags(encoder: StepEncoder, name: str = CHECKPOINT) -> str:
    """Return the flags with which `vllm serve` gives one row of two probabilities per step.

    Raise `EncodingError` for a format that cannot be served.
    """
    if name not in FORMATS:
        raise EncodingError(f"vLLM cannot serve the format {name!r}: score it from a directory")
    own = pooling_flags(encoder.step_id)
    more = FORMATS[name].flags
    return own if more is None else f"{own} {more(encoder)}"
