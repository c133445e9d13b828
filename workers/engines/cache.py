"""An attention cache that grows in slabs, so that a decoding step copies nothing old."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer

SLAB = 64
"""Positions by which a full cache grows."""


class SlabLayer(DynamicLayer):
    """One layer's keys and values, each (rows, heads, capacity, width); `length` are in use."""

    length = 0

    def update(
        self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor]:
        """Append the new positions and return views of all that are in use."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self.keys, self.values = key_states[:, :, :0], value_states[:, :, :0]
        end = self.length + key_states.shape[-2]
        if end > self.keys.shape[-2]:
            self.keys = _grown(self.keys, self.length, end + SLAB)
            self.values = _grown(self.values, self.length, end + SLAB)
        self.keys[:, :, self.length : end] = key_states
        self.values[:, :, self.length : end] = value_states
        self.length = end
        return self.keys[:, :, :end], self.values[:, :, :end]

    def get_seq_length(self) -> int:
        """Return the positions in use."""
        return self.length


def new_cache(config: Any) -> Cache:
    """Return an empty cache for a model; sliding windows and the like keep transformers' own."""
    usual = DynamicCache(config=config)
    if all(type(layer) is DynamicLayer for layer in usual.layers):
        return Cache(layer_class_to_replicate=SlabLayer)
    return usual


def _grown(old: Tensor, length: int, capacity: int) -> Tensor:
    new = torch.empty(*old.shape[:2], capacity, old.shape[-1], dtype=old.dtype, device=old.device)
    new[:, :, :length] = old[:, :, :length]
    return new
