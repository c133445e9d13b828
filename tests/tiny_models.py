"""Make tiny random models: real architectures and tokenizers, weights of noise."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

CHAT = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "tie_word_embeddings": True,
    # Larger than the usual 0.02: the context must matter, or every row would look alike.
    "initializer_range": 0.3,
    "bos_token_id": None,
}


def make_tiny_qwen(folder: Path, seed: int = 0, context: int = 256) -> Path:
    """Save a random Qwen2 of 26 k parameters with one token per character; return its folder."""
    return make_tiny(folder, "qwen2", seed, max_position_embeddings=context)


def make_tiny(folder: Path, architecture: str, seed: int = 0, **sizes: Any) -> Path:
    """Save a random model of any architecture like `make_tiny_qwen`; return its folder."""
    tokenizer = _character_tokenizer()
    tiny_model(architecture, seed, **sizes).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def tiny_model(architecture: str, seed: int = 0, **sizes: Any) -> Any:
    """Return a random model whose vocabulary is that of the character tokenizer."""
    tokenizer = _character_tokenizer()
    ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    torch.manual_seed(seed)
    config = AutoConfig.for_model(
        architecture, **{"vocab_size": len(tokenizer)} | ends | SIZES | sizes
    )
    return AutoModelForCausalLM.from_config(config).eval()


def _character_tokenizer() -> PreTrainedTokenizerFast:
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<unk>"]
    characters = sorted(set(string.printable) - set("\r\x0b\x0c"))
    vocab = {token: index for index, token in enumerate([*special, *characters])}
    raw = Tokenizer(models.WordLevel(vocab, unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    raw.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        eos_token="<|endoftext|>",
        pad_token="<|endoftext|>",
        unk_token="<unk>",
        additional_special_tokens=["<|im_start|>", "<|im_end|>"],
        chat_template=CHAT,
    )
