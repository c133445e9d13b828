"""Folded attention is attention with copied heads."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from workers.engines.attention import _folded


@pytest.mark.parametrize("heads", [2, 6], ids=["own", "shared"])
@pytest.mark.parametrize("new", [1, 5])
@pytest.mark.parametrize("scaling", [None, 0.3])
def test_folding_changes_nothing(new: int, heads: int, scaling: float | None) -> None:
    torch.manual_seed(0)
    query = torch.randn(3, heads, new, 8, dtype=torch.float64)
    key, value = torch.randn(2, 3, 2, 9, 8, dtype=torch.float64)
    mask = torch.zeros(3, 1, new, 9, dtype=torch.float64)
    mask[torch.rand(mask.shape) < 0.4] = -torch.inf
    mask[..., -1] = 0
    found, _ = _folded(None, query, key, value, mask, scaling=scaling)
    copied = [states.repeat_interleave(heads // 2, dim=1) for states in (key, value)]
    expected = scaled_dot_product_attention(query, *copied, attn_mask=mask, scale=scaling)
    torch.testing.assert_close(found, expected.transpose(1, 2))
