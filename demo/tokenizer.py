"""The tokenizer of the sample world: a token per word and number, single bytes for other text.

No word is the beginning of another, so a text of words has one reading only: decoding and encoding
are inverses, and the tokens of a prompt begin the tokens of every continuation.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from demo.world import MOVES, SEPARATOR

END, PAD, UNKNOWN, STEP = "<eos>", "<pad>", "<unk>", "<extra_0>"
SPECIAL = (PAD, END, UNKNOWN, STEP)
CONTEXT = 1024
"""Tokens that the checkpoint may be sent; those of this world take fewer than 100."""

_NAMES = [*(f"Step {number}:" for number in MOVES), "Answer:"]
WORDS = (
    SEPARATOR,
    "Problem:",
    "Check:",
    *_NAMES,
    *(f" {name}" for name in _NAMES),
    " ok",
    " wrong",
    " +",
    " *",
    " =",
    *(f" {digit}" for digit in range(10)),
)
# How Qwen2 cuts text before byte-level BPE (from its published tokenizer.json).
_QWEN2_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def build() -> Any:
    """Build the tokenizer as transformers' PreTrainedTokenizerFast.

    The words are *added* tokens over Qwen2's own byte-level frame. transformers 5 and vLLM rebuild
    that frame by themselves for a checkpoint whose `model_type` is qwen2, whatever its files say;
    only a tokenizer that has exactly this frame comes out unchanged.
    """
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers
    from tokenizers import pre_tokenizers as cuts
    from transformers import PreTrainedTokenizerFast

    letters = {letter: index for index, letter in enumerate(sorted(cuts.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(models.BPE(letters, []))
    tokenizer.normalizer = normalizers.NFC()
    split = cuts.Split(Regex(_QWEN2_SPLIT), behavior="isolated")
    byte_level = cuts.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = cuts.Sequence([split, byte_level])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    tokenizer.add_tokens([AddedToken(word, normalized=False) for word in WORDS])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=PAD,
        unk_token=UNKNOWN,
        extra_special_tokens=[STEP],
        clean_up_tokenization_spaces=False,
        model_max_length=CONTEXT,
        padding_side="left",
    )


def write(directory: Path) -> None:
    """Write the tokenizer's files as PreTrainedTokenizerFast and AutoTokenizer load them."""
    build().save_pretrained(str(directory))
    # transformers 5 writes a class name of its own that earlier releases do not know.
    file = directory / "tokenizer_config.json"
    row = json.loads(file.read_text(encoding="utf-8"))
    row["tokenizer_class"] = "PreTrainedTokenizerFast"
    file.write_text(json.dumps(row, indent=2, sort_keys=True) + "\n", encoding="utf-8")
