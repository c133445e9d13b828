"""Complete prompts with the tiny checkpoint: plain categorical sampling at T = 1, or greedy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

MAX_ROWS = 512
MAX_NEW_TOKENS = 96


def load(directory: Path) -> tuple[Any, Any]:
    """Return (model in float32, tokenizer) of a checkpoint directory."""
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

    model = AutoModelForCausalLM.from_pretrained(str(directory), dtype=torch.float32)
    return model.eval(), PreTrainedTokenizerFast.from_pretrained(str(directory))


def complete(model: Any, tokenizer: Any, prompts: Sequence[str], *, seed: int | None) -> list[str]:
    """Return one completion per prompt, without the end token; `seed` None takes the likeliest.

    Prompts of one length go together, so that nothing is padded.
    """
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    encoded: list[list[int]] = tokenizer(list(prompts))["input_ids"] if prompts else []
    by_length: dict[int, list[int]] = defaultdict(list)
    for index, ids in enumerate(encoded):
        by_length[len(ids)].append(index)
    texts = [""] * len(prompts)
    for _, members in sorted(by_length.items()):
        for start in range(0, len(members), MAX_ROWS):
            chosen = members[start : start + MAX_ROWS]
            rows = _complete(model, torch.tensor([encoded[i] for i in chosen]), generator)
            for index, ids in zip(chosen, rows, strict=True):
                texts[index] = tokenizer.decode(ids)
    return texts


@torch.inference_mode()
def _complete(model: Any, ids: Tensor, generator: torch.Generator | None) -> list[list[int]]:
    """Continue prompts (rows, tokens) of one length; return each row's tokens before its end."""
    end = model.config.eos_token_id
    rows: list[list[int]] = [[] for _ in ids]
    alive = torch.arange(len(ids))
    cache = None
    for _ in range(MAX_NEW_TOKENS):
        output = model(input_ids=ids, past_key_values=cache, use_cache=True)
        cache = output.past_key_values
        chosen = _choose(output.logits[:, -1].float(), generator)
        going = (chosen != end).nonzero()[:, 0]
        alive, chosen = alive[going], chosen[going]
        if not len(alive):
            break
        for row, token in zip(alive.tolist(), chosen.tolist(), strict=True):
            rows[row].append(token)
        cache.batch_select_indices(going)
        ids = chosen[:, None]
    return rows


def _choose(logits: Tensor, generator: torch.Generator | None) -> Tensor:
    if generator is None:
        return logits.argmax(dim=-1)
    return torch.multinomial(logits.softmax(dim=-1), 1, generator=generator)[:, 0]
