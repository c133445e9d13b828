"""Decode many samples together: a prompt is read once, finished rows leave the batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workers.engines.cache import new_cache
from workers.engines.sampling import draw, uniforms

DROP_BELOW = 0.8
"""Copy the cache without its finished rows once this share of rows or less is alive."""


@dataclass(slots=True)
class Row:
    """One sample to decode: the place of its prompt in the batch, and what has been drawn."""

    prompt: int
    seed: int
    temperature: float
    max_tokens: int
    is_over: Callable[[Sequence[int]], bool]
    """Says whether the tokens hold a stop string."""
    may_end: Tensor | None = None
    """(vocabulary) true for tokens after which `is_over` is worth asking; None = never."""
    tokens: list[int] = field(default_factory=list)
    stopped: bool = False


@torch.inference_mode()
def decode(model: Any, prompts: Sequence[Sequence[int]], rows: list[Row], ends: Tensor) -> None:
    """Fill `tokens` and `stopped` of every row. `ends` are the ids of the model's end tokens.

    Prompts of different lengths are padded on the left and masked.
    """
    batch = _Batch(model, prompts, rows)
    for position in range(max(row.max_tokens for row in rows)):
        tokens = batch.draw(position)
        ended = torch.isin(tokens, ends).tolist()
        for index, (row, token) in enumerate(zip(batch.rows, tokens.tolist(), strict=True)):
            if batch.alive[index]:
                row.tokens.append(token)
                row.stopped = ended[index] or _says_stop(row, token)
                batch.alive[index] = not row.stopped and len(row.tokens) < row.max_tokens
        if not any(batch.alive):
            return
        batch.advance(tokens)


class _Batch:
    """The model's state for rows that decode in step; `alive` marks those that still count."""

    logits: Tensor

    def __init__(self, model: Any, prompts: Sequence[Sequence[int]], rows: list[Row]) -> None:
        self.model, self.rows, self.alive = model, rows, [True] * len(rows)
        ids, mask = _left_padded(prompts, model.device)
        self.cache = new_cache(model.config)
        self.mask = None if bool(mask.all()) else mask
        self.positions = mask.sum(1)
        logits = self._forward(ids, (mask.cumsum(1) - 1).clamp(min=0))
        self._set_rows(logits, torch.tensor([row.prompt for row in rows], device=model.device))

    def draw(self, position: int) -> Tensor:
        uniform = torch.from_numpy(uniforms(self.seeds, position)).to(self.logits.device)
        return draw(self.logits, uniform, self.temperatures)

    def advance(self, tokens: Tensor) -> None:
        """Feed the drawn tokens, without the finished rows once these are many."""
        if sum(self.alive) <= DROP_BELOW * len(self.alive):
            keep = [index for index, alive in enumerate(self.alive) if alive]
            self.rows, self.alive = [self.rows[index] for index in keep], [True] * len(keep)
            kept = torch.tensor(keep, device=tokens.device)
            tokens = tokens[kept]
            self._set_rows(self.logits, kept)
        if self.mask is not None:
            self.mask = torch.cat([self.mask, self.mask.new_ones(len(self.mask), 1)], dim=1)
        self.logits = self._forward(tokens[:, None], self.positions[:, None])
        self.positions = self.positions + 1

    def _set_rows(self, logits: Tensor, indices: Tensor) -> None:
        self.cache.batch_select_indices(indices)
        self.logits, self.positions = logits[indices], self.positions[indices]
        self.mask = None if self.mask is None else self.mask[indices]
        self.seeds = np.array([row.seed for row in self.rows], dtype=np.uint64)
        self.temperatures = logits.new_tensor([row.temperature for row in self.rows])

    def _forward(self, ids: Tensor, positions: Tensor) -> Tensor:
        """Return float32 logits (rows, vocabulary) after the last of `ids` (rows, tokens)."""
        output = self.model(
            input_ids=ids,
            attention_mask=self.mask,
            position_ids=positions,
            past_key_values=self.cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return output.logits[:, -1].float()


def _left_padded(prompts: Sequence[Sequence[int]], device: Any) -> tuple[Tensor, Tensor]:
    width = max(map(len, prompts))
    ids = [[0] * (width - len(prompt)) + list(prompt) for prompt in prompts]
    mask = [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)


def _says_stop(row: Row, token: int) -> bool:
    return row.may_end is not None and bool(row.may_end[token]) and row.is_over(row.tokens)
