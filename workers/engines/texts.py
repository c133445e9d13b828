"""Between texts and tokens: tokenizers, chat templates, stop strings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from workers.engines.protocol import EngineRefused, EngineUnavailable, Message, Prompt

_TAIL = 4
"""Prompt tokens that are decoded with a completion: some decoders join words by their neighbors."""


class Texts:
    """A model's tokenizer; what it makes of prompts, completions and stop strings."""

    def __init__(self, model: str) -> None:
        self.tokenizer = load_tokenizer(model)
        self.may_end = lru_cache(maxsize=16)(self._may_end)

    def encode(self, prompt: Prompt) -> list[int]:
        """Return the token ids of a prompt; raise EngineRefused where there are none."""
        if isinstance(prompt, str):
            ids = self.tokenizer(prompt).input_ids
        else:
            ids = self.tokenizer(self._chat(prompt), add_special_tokens=False).input_ids
        if not ids:
            raise EngineRefused("the prompt has no tokens")
        return list(ids)

    def decode(self, prompt: Sequence[int], tokens: Sequence[int]) -> str:
        """Return the text that the tokens add after a prompt."""
        tail = list(prompt[-_TAIL:])
        before, whole = self._text(tail), self._text([*tail, *tokens])
        return whole[len(before) :] if whole.startswith(before) else self._text(tokens)

    def cut(self, text: str, stop: Sequence[str]) -> str:
        """Return the text before the first stop string."""
        return text[: min((at for s in stop if (at := text.find(s)) >= 0), default=len(text))]

    def _chat(self, messages: Sequence[Message]) -> str:
        if not self.tokenizer.chat_template:
            raise EngineRefused("the model has no chat template; choose a plain prompt")
        goes_on = messages[-1].role == "assistant"
        return str(
            self.tokenizer.apply_chat_template(
                [{"role": message.role, "content": message.content} for message in messages],
                tokenize=False,
                add_generation_prompt=not goes_on,
                continue_final_message=goes_on,
            )
        )

    def _text(self, ids: Sequence[int]) -> str:
        return str(
            self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        )

    def _may_end(self, stop: tuple[str, ...], size: int) -> Tensor | None:
        """Return (size) true for the tokens whose text can complete one of the stop strings."""
        if not stop:
            return None
        last = {text[-1] for text in stop}
        texts = [self._text([token]) for token in range(min(size, len(self.tokenizer)))]
        # A token that is part of a character decodes to the replacement mark: it may end anything.
        ends = [bool(last & set(text)) or "\ufffd" in text for text in texts]
        return torch.tensor(ends + [False] * (size - len(ends)))


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
