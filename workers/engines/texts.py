"""Between texts and tokens: tokenizers, chat templates, stop strings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from workers.engines.protocol import EngineRefused, EngineUnavailable, Message, Prompt

_TAIL = 4
"""Prompt tokens that are decoded with a completion: some decoders join words by their neighbors."""


class Texts:
    """A model's tokenizer; what it makes of prompts, completions and stop strings."""

    def __init__(self, model: str) -> None:
        self.tokenizer = load_tokenizer(model)
        self.may_end = lru_cache(maxsize=16)(self._may_end)
        self.encode = lru_cache(maxsize=4096)(self._encode)

    def decode(self, prompt: Sequence[int], tokens: Sequence[int]) -> str:
        """Return the text that the tokens add after a prompt."""
        tail = list(prompt[-_TAIL:])
        before, whole = self._text(tail), self._text([*tail, *tokens])
        return whole[len(before) :] if whole.startswith(before) else self._text(tokens)

    def cut(self, text: str, stop: Sequence[str]) -> str:
        """Return the text before the first stop string."""
        return text[: min((at for s in stop if (at := text.find(s)) >= 0), default=len(text))]

    def _encode(self, prompt: Prompt) -> tuple[int, ...]:
        """Return the token ids of a prompt; raise EngineRefused where it cannot be read."""
        plain = isinstance(prompt, str)
        text = prompt if isinstance(prompt, str) else self._chat(prompt)
        try:
            ids = self.tokenizer(text, add_special_tokens=plain).input_ids
        except (TypeError, ValueError) as error:
            raise EngineRefused(f"the prompt is no text: {error}") from error
        if not ids:
            raise EngineRefused("the prompt has no tokens")
        return tuple(ids)

    def _chat(self, messages: Sequence[Message]) -> str:
        if not self.tokenizer.chat_template:
            raise EngineRefused("the model has no chat template; choose a plain prompt")
        goes_on = messages[-1].role == "assistant"
        turns = [{"role": message.role, "content": message.content} for message in messages]
        try:
            return str(
                self.tokenizer.apply_chat_template(
                    turns,
                    tokenize=False,
                    add_generation_prompt=not goes_on,
                    continue_final_message=goes_on,
                )
            )
        # Templates refuse roles that their model does not know, or an order of turns.
        except (TemplateError, ValueError) as error:
            raise EngineRefused(f"the chat template refuses the prompt: {error}") from error

    def _text(self, ids: Sequence[int]) -> str:
        return str(
            self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        )

    def _may_end(self, stop: tuple[str, ...]) -> frozenset[int]:
        """Return the tokens whose text can complete one of the stop strings."""
        found = set()
        for token in range(len(self.tokenizer)) if stop else ():
            text = self._text([token])
            # Alone, a token loses its leading space with some tokenizers.
            if "\ufffd" in text or any(_completes(t, s) for t in (text, " " + text) for s in stop):
                found.add(token)
        return frozenset(found)


def _completes(text: str, stop: str) -> bool:
    """Say whether `stop` can end within a text that follows others."""
    return stop in text or any(text.startswith(stop[at:]) for at in range(1, len(stop)))


def load_tokenizer(model: str) -> Any:
    """Return the tokenizer of a folder or hub name exactly as it was saved.

    AutoTokenizer may rebuild a "qwen2" folder's own tokenizer with Qwen2's pre-tokenizer, which
    changes the tokens; a folder with a tokenizer.json is therefore read without it. Raise
    EngineUnavailable where there is none.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    own = (Path(model) / "tokenizer.json").is_file()
    try:
        return (PreTrainedTokenizerFast if own else AutoTokenizer).from_pretrained(model)
    except (OSError, ValueError) as error:
        raise EngineUnavailable(f"cannot load {model}: {error}", retry=False) from error
