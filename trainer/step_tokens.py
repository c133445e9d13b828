"""Give a backbone's tokenizer the token that ends a step."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from trainer.encoding import load_tokenizer

SPARE = "<|quad_end|>"
SPARE_ID = 151_651
"""A control token of Qwen2.5 that its text models never use. vLLM looks for the steps of a
Qwen2ForProcessRewardModel here unless told otherwise, and Qwen's own PRMs have <extra_0> here.
"""


def with_step_token(tokenizer: Any, token: str) -> Any:
    """Return a tokenizer that knows the step token.

    In Qwen2.5's vocabulary it takes the place of a spare token, so that vLLM serves the PRM without
    flags; in others it is added behind the last one. The given tokenizer may be changed.
    """
    if token in tokenizer.get_vocab():
        return tokenizer
    spare = tokenizer.added_tokens_decoder.get(SPARE_ID)
    if spare is not None and spare.content == SPARE:
        return _renamed(tokenizer, token)
    tokenizer.add_special_tokens({"additional_special_tokens": [token]})
    return tokenizer


def _renamed(tokenizer: Any, token: str) -> Any:
    """Rename the spare token wherever the tokenizer's files name it."""
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        for file in Path(folder).glob("*.json"):
            text = file.read_text(encoding="utf-8")
            file.write_text(text.replace(json.dumps(SPARE), json.dumps(token)), encoding="utf-8")
        return load_tokenizer(folder)
