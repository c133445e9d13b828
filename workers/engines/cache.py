"""A transformers cache whose tensors someone else owns and lays out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from transformers.cache_utils import Cache


class Window(Cache):
    """Each layer's keys and values, (2, rows, heads, columns, width).

    A forward pass writes its tokens to the columns from `at` on, and sees all columns: its mask
    must say which ones count.
    """

    def __init__(self, slabs: Sequence[Tensor], at: int) -> None:
        super().__init__(layers=[])
        self.slabs, self.at = slabs, at

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor]:
        """Write the new tokens and return all columns."""
        keys, values = self.slabs[layer_idx].unbind(0)
        until = self.at + key_states.shape[-2]
        keys[:, :, self.at : until] = key_states
        values[:, :, self.at : until] = value_states
        return keys, values

    def get_seq_length(self, layer_idx: int = 0) -> int:  # noqa: ARG002
        """Return the columns before the next token."""
        return self.at
