"""The one token-level encoder that training, evaluation and serving share.

Steps are appended as tokens, each followed by the step token, never joined as text: a string join
changes the tokens around the separator and costs points (RECIPE 2, ProcessBench PR 12).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

SPEC_FILE = "prm_encoder.json"
TEMPLATES = ("plain", "bare", "qwen-chat")
"""plain: "Problem: …" and a blank line; bare: the problem's text alone; qwen-chat: Qwen's turns."""
PORTION = 256  # solutions tokenized at once
SYSTEM = "Please reason step by step, and put your final answer within \\boxed{}."


class EncodingError(ValueError):
    """A text, tokenizer or specification that cannot be encoded; the text says why."""


@dataclass(frozen=True, slots=True)
class EncoderSpec:
    """Say how a problem and its steps become tokens; it travels with the model directory.

    `max_length` counts tokens; `init_step_token_from` names the text whose embeddings' mean a new
    step token starts from.
    """

    template: str = "qwen-chat"
    step_token: str = "<extra_0>"  # noqa: S105 (a token of the vocabulary)
    init_step_token_from: str = "\n\n"  # noqa: S105
    max_length: int = 4096

    def __post_init__(self) -> None:
        if self.template not in TEMPLATES:
            raise EncodingError(f"template {self.template!r} is none of {', '.join(TEMPLATES)}")
        if not self.step_token:
            raise EncodingError("step_token is empty")
        if type(self.max_length) is not int or self.max_length < 2:
            raise EncodingError(f"max_length {self.max_length!r} is too small")


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids, the positions of the step tokens in them, and how many last steps did not fit."""

    ids: list[int]
    positions: list[int]
    dropped: int

    def flaw(self, steps: int, max_length: int) -> str:
        """Say why the `steps` steps cannot all be scored; empty where they can."""
        if not steps:
            return "the solution has no steps"
        if self.dropped:
            return f"{self.dropped} of {steps} steps lie behind the model's {max_length} tokens"
        if len(self.positions) != steps:
            return f"the tokenizer makes {len(self.positions)} step tokens of {steps} steps"
        return ""


def read_spec(directory: str | Path) -> EncoderSpec:
    """Read a model directory's specification; without one, Qwen's chat format is assumed.

    `max_length` defaults to the backbone's own context length. Raise `EncodingError` for a file
    that cannot be understood.
    """
    spec = EncoderSpec()
    context = _read_object(Path(directory) / "config.json").get("max_position_embeddings")
    if isinstance(context, int):
        spec = replace(spec, max_length=context)
    file = Path(directory) / SPEC_FILE
    try:
        return replace(spec, **_read_object(file))
    except TypeError as error:
        raise EncodingError(f"{file}: {error}") from error


def write_spec(directory: str | Path, spec: EncoderSpec) -> None:
    """Write the specification into a model directory."""
    row = {name: getattr(spec, name) for name in EncoderSpec.__slots__}
    (Path(directory) / SPEC_FILE).write_text(json.dumps(row, indent=2) + "\n", encoding="utf-8")


def load_tokenizer(directory: str | Path) -> Any:
    """Load a directory's tokenizer exactly as saved.

    transformers 5's AutoTokenizer rebuilds the pre-tokenizer from `model_type` and so changes the
    tokens of a custom tokenizer; tokenizer.json is the whole truth where it exists.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    if (Path(directory) / "tokenizer.json").is_file():
        return PreTrainedTokenizerFast.from_pretrained(str(directory))
    try:
        return AutoTokenizer.from_pretrained(str(directory))
    except (OSError, ValueError) as error:
        raise EncodingError(f"no tokenizer in {directory}: {error}") from error


class Encoder:
    """Turn (prompt, steps) into token ids and step-token positions."""

    def __init__(self, tokenizer: Any, spec: EncoderSpec) -> None:
        self.tokenizer = tokenizer
        self.spec = spec
        self.step_id = _token_id(tokenizer, spec.step_token)
        self._prefix, self._suffix = self._frame()
        self._reserved = reserved_texts(tokenizer, spec.step_token)
        (space,) = _ids(tokenizer, [" "])
        self._space = [token for token in space if token != self.step_id]

    @property
    def max_length(self) -> int:
        """The longest input in tokens."""
        return self.spec.max_length

    def encode(self, prompt: str, steps: Sequence[str]) -> Encoded:
        """Encode one solution; see `encode_many`."""
        return self.encode_many([(prompt, steps)])[0]

    def encode_many(self, items: Iterable[tuple[str, Sequence[str]]]) -> list[Encoded]:
        """Encode solutions, keeping as many whole steps as fit into `max_length` tokens each."""
        rest = iter(items)
        encoded: list[Encoded] = []
        # in portions: a tokenizer's own results take ten times the memory of the tokens
        while portion := list(islice(rest, PORTION)):
            texts = [text for prompt, steps in portion for text in (self._opening(prompt), *steps)]
            tokens = iter(self._tokenize(texts))
            encoded += [
                self._assemble(next(tokens), [next(tokens) for _ in steps]) for _, steps in portion
            ]
        return encoded

    def _assemble(self, prompt: list[int], steps: list[list[int]]) -> Encoded:
        ids = [*self._prefix, *prompt, *self._suffix]
        positions: list[int] = []
        for step in steps:
            if len(ids) + len(step) + 1 > self.spec.max_length:
                break
            ids += [*step, self.step_id]
            positions.append(len(ids) - 1)
        # The tokens behind the last step token can change no score: attention is causal.
        return Encoded(ids, positions, len(steps) - len(positions))

    def _opening(self, prompt: str) -> str:
        openings = {"plain": f"Problem: {prompt}\n\n", "bare": prompt}
        return openings.get(self.spec.template, f"user\n{prompt}")

    def _frame(self) -> tuple[list[int], list[int]]:
        """Return the tokens around the opening: none, or ChatML's up to the assistant's turn."""
        if self.spec.template == "plain":
            return [], []
        if self.spec.template == "bare":
            begin = self.tokenizer.bos_token_id
            return ([] if begin is None else [begin]), []
        start, end = (_token_id(self.tokenizer, t) for t in ("<|im_start|>", "<|im_end|>"))
        texts = [f"system\n{SYSTEM}", "\n", "assistant\n"]
        system, newline, assistant = _ids(self.tokenizer, texts)
        return [start, *system, end, *newline, start], [end, *newline, start, *assistant]

    def _tokenize(self, texts: list[str]) -> list[list[int]]:
        tokens = _ids(self.tokenizer, [neutralize(text, self._reserved) for text in texts])
        return [self._without_step_token(ids) for ids in tokens]

    def _without_step_token(self, ids: list[int]) -> list[int]:
        """Put a space where a text has the step token itself, such as a line's end."""
        if self.step_id not in ids:
            return ids
        return [t for token in ids for t in (self._space if token == self.step_id else [token])]


def reserved_texts(tokenizer: Any, step_token: str) -> list[str]:
    """Return the control tokens that no text may hold, longest first.

    So no token hides inside the remains of a shorter one.
    """
    added = tokenizer.added_tokens_decoder.values()
    reserved = {step_token, *(token.content for token in added if token.special)}
    return sorted(reserved, key=lambda token: (-len(token), token))


def neutralize(text: str, reserved: Iterable[str]) -> str:
    """Break literal control tokens in a text: one would add a score row or forge a turn."""
    for token in reserved:
        # A space inside a line's end would not break it: such tokens are replaced as tokens.
        if token.strip() and token in text:
            text = text.replace(token, f"{token[:1]} {token[1:]}")
    return text


def _ids(tokenizer: Any, texts: list[str]) -> list[list[int]]:
    if not texts:
        return []
    ids: list[list[int]] = tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]
    return ids


def _token_id(tokenizer: Any, token: str) -> int:
    vocabulary: dict[str, int] = tokenizer.get_vocab()
    if token in vocabulary:
        return vocabulary[token]
    (ids,) = _ids(tokenizer, [token])  # a vocabulary of bytes spells a line's end otherwise
    if len(ids) != 1 or ids[0] == tokenizer.unk_token_id:
        raise EncodingError(f"the tokenizer does not know the token {token!r}")
    return ids[0]


def _read_object(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        row = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise EncodingError(f"{file}: not valid JSON: {error}") from error
    if not isinstance(row, dict):
        raise EncodingError(f"{file}: not a JSON object")
    return row
