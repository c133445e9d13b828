"""Rows that are read together and leave together, on transformers' own cache: any causal LM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import DynamicCache

from workers.engines.prefixes import Tokens


class Fixed:
    """Rows for models with sliding windows and other memories that Rolling knows nothing of."""

    joinable = False

    def __init__(self, model: Any, capacity: int, prefill_tokens: int) -> None:
        """Hold at most `capacity` tokens and read at most `prefill_tokens` at once."""
        self._model, self._capacity, self._prefill_tokens = model, capacity, prefill_tokens
        self.clear()

    def clear(self) -> None:
        """Let all rows leave, and their memory go."""
        self._cache = DynamicCache(config=self._model.config)
        self._mask = self._positions = torch.zeros(0, dtype=torch.int64)

    def holds(self, rows: int, prompt: int, longest: int) -> bool:
        """Say whether so many rows can be read at once, and there is memory for all they write."""
        return rows * prompt <= self._prefill_tokens and rows * longest <= self._capacity

    def unread(self, prompt: Tokens) -> int:
        """Return how many tokens of a prompt must be read: all."""
        return len(prompt)

    def join(self, prompts: Sequence[Tokens], places: Sequence[int]) -> Tensor:
        """Begin with a row per prompt; return logits (rows, vocabulary)."""
        distinct = {prompt: place for place, prompt in enumerate(dict.fromkeys(prompts))}
        width, device = max(map(len, prompts)), self._model.device
        ids = [[0] * (width - len(prompt)) + list(prompt) for prompt in distinct]
        mask = [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in distinct]
        self._mask = torch.tensor(mask, device=device)
        self._cache = DynamicCache(config=self._model.config)
        positions = (self._mask.cumsum(1) - 1).clamp(min=0)
        self._positions = self._mask.sum(1)
        logits = self._forward(torch.tensor(ids, device=device), positions)
        places = [distinct[prompt] for prompt in prompts]
        self.keep(places)
        return logits[places]

    def feed(self, tokens: Sequence[int]) -> Tensor:
        """Append a token to every row; return logits (rows, vocabulary)."""
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(tokens), 1)], dim=1)
        ids = torch.tensor(tokens, device=self._model.device)
        logits = self._forward(ids[:, None], self._positions[:, None])
        self._positions = self._positions + 1
        return logits

    def finish(self, rows: Sequence[int]) -> None:
        """Do nothing: rows leave together or are left out."""

    def keep(self, rows: Sequence[int]) -> None:
        """Keep these rows, in this order."""
        kept = torch.tensor(rows, device=self._model.device)
        self._cache.reorder_cache(kept)  # type: ignore[arg-type]
        self._mask, self._positions = self._mask[kept], self._positions[kept]

    def _forward(self, ids: Tensor, positions: Tensor) -> Tensor:
        output = self._model(
            input_ids=ids,
            attention_mask=self._mask,
            position_ids=positions,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: Tensor = output.logits[:, -1]
        return logits
