"""Encoders of published process reward models whose input is not that of our checkpoints.

No code of theirs runs; each follows what its authors' own script feeds to the model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from trainer.encoding import Encoded, EncoderSpec, EncodingError, neutralize, reserved_texts

_NUMBERED = re.compile(r"\s*Step \d+\s*[:.]", re.IGNORECASE)


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
        self.step_id: int = _last_id(tokenizer, self._tag)
        self.signs: tuple[int, int] = (_last_id(tokenizer, "-"), _last_id(tokenizer, "+"))
        """The tokens that say wrong and right; SentencePiece's are those with a space before."""

    @property
    def max_length(self) -> int:
        """The longest input in tokens."""
        return self._max_length

    @property
    def sign_tokens(self) -> list[str]:
        """The names of `signs` in the vocabulary, as vLLM looks them up."""
        names: list[str] = self._tokenizer.convert_ids_to_tokens(list(self.signs))
        return names

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


class Skywork:
    """Skywork's tokens: the problem and a line's end as one text, then each step and a line's end.

    The model scores every line; a step of several lines is one step here, with spaces between
    them. The problem may hold the step token too, so that positions, not tokens, say what a score
    belongs to: fit for a model in memory, not for vLLM's pooling at a token.
    """

    def __init__(self, tokenizer: Any, spec: EncoderSpec) -> None:
        self._tokenizer = tokenizer
        self._max_length = spec.max_length
        self._reserved = reserved_texts(tokenizer, spec.step_token)
        self.step_id: int = _last_id(tokenizer, spec.step_token)
        begin = tokenizer.bos_token_id
        self._begin = [] if begin is None else [begin]

    @property
    def max_length(self) -> int:
        """The longest input in tokens."""
        return self._max_length

    def encode_many(self, items: Iterable[tuple[str, Sequence[str]]]) -> list[Encoded]:
        """Encode (problem, steps) pairs in order."""
        return [self._encode(prompt, steps) for prompt, steps in items]

    def _encode(self, prompt: str, steps: Sequence[str]) -> Encoded:
        lines = [" ".join(step.splitlines()) for step in steps]
        ids = [*self._begin, *self._tokens(f"{prompt}\n")]
        positions: list[int] = []
        for line in lines:
            tokens = [*self._tokens(line), self.step_id]
            if len(ids) + len(tokens) > self._max_length:
                break
            ids += tokens
            positions.append(len(ids) - 1)
        return Encoded(ids, positions, len(steps) - len(positions))

    def _tokens(self, text: str) -> list[int]:
        safe = neutralize(text, self._reserved)
        ids: list[int] = self._tokenizer(safe, add_special_tokens=False, verbose=False)["input_ids"]
        return ids


class RLHFlow:
    """RLHFlow's talk: each step is a user's turn, and the model answers it with + or -.

    The published script asks once per step, with + as every earlier answer; attention is causal,
    so that one pass over the whole talk gives the same numbers, each read where an answer begins.
    """

    def __init__(self, tokenizer: Any, spec: EncoderSpec) -> None:
        if not tokenizer.chat_template:
            raise EncodingError("the tokenizer has no chat template")
        self._tokenizer = tokenizer
        self._max_length = spec.max_length
        self._reserved = reserved_texts(tokenizer, "")  # a text may well hold a +
        self.step_id: int = _last_id(tokenizer, spec.step_token)
        self.signs: tuple[int, int] = (_last_id(tokenizer, "-"), self.step_id)

    @property
    def max_length(self) -> int:
        """The longest input in tokens."""
        return self._max_length

    def encode_many(self, items: Iterable[tuple[str, Sequence[str]]]) -> list[Encoded]:
        """Encode (problem, steps) pairs in order."""
        return [self._encode(prompt, steps) for prompt, steps in items]

    def _encode(self, prompt: str, steps: Sequence[str]) -> Encoded:
        talk: list[dict[str, str]] = []
        ids: list[int] = []
        positions: list[int] = []
        for step in steps:
            said = step if talk else f"{prompt} {step}"
            talk.append({"role": "user", "content": neutralize(said, self._reserved)})
            longer = self._tokens(talk)
            if longer[: len(ids)] != ids:
                raise EncodingError("the chat template rewrites earlier turns")
            if len(longer) > self._max_length:
                break
            ids = longer
            positions.append(len(ids) - 1)
            talk.append({"role": "assistant", "content": "+"})
        return Encoded(ids, positions, len(steps) - len(positions))

    def _tokens(self, talk: list[dict[str, str]]) -> list[int]:
        text = self._tokenizer.apply_chat_template(talk, tokenize=False, add_generation_prompt=True)
        ids: list[int] = self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        return ids


def _last_id(tokenizer: Any, text: str) -> int:
    """Return the token that a text ends with; refuse one that the vocabulary does not know."""
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    if not ids or ids[-1] == tokenizer.unk_token_id:
        raise EncodingError(f"the tokenizer does not know the token {text!r}")
    return ids[-1]
