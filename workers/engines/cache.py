"""An attention cache that grows in slabs, so that a decoding step copies nothing old."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer

SLAB = 16
"""A full cache grows by this many positions or an eighth: dropping rows copies what is unused."""


class SlabLayer(DynamicLayer):
    """One layer's keys and values, each (rows, heads, capacity, width); `length` are in use."""

    length = 0

    def update(
        self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor]:
        """Append the new positions and return views of all that are in use."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        old, end = self.length, self.length + key_states.shape[-2]
        self.keys = _extended(self.keys, key_states, old)
        self.values = _extended(self.values, value_states, old)
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


def _extended(slab: Tensor | None, new: Tensor, length: int) -> Tensor:
    """Return the slab with `new` written after its first `length` positions, larger if needed."""
    end = length + new.shape[-2]
    if slab is None or slab.dim() < 4 or end > slab.shape[-2]:
        larger = new.new_empty(*new.shape[:2], end + max(SLAB, end // 8), new.shape[-1])
        if slab is not None and length:
            larger[:, :, :length] = slab[:, :, :length]
        slab = larger
    slab[:, :, length:end] = new
    return slab
