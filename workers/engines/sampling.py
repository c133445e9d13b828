"""Seeded sampling: a draw depends on its own seed and position, not on its neighbors in a batch."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_GOLDEN = 0x9E3779B97F4A7C15  # splitmix64's increment (Steele, Lea & Flood, OOPSLA 2014)


def uniforms(seeds: NDArray[np.uint64], positions: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Return one number in [0, 1) per seed, for the token at its position: a hash, no state."""
    bits = _mixed(_mixed(seeds) + (positions + np.uint64(1)) * np.uint64(_GOLDEN))
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def draw(logits: Tensor, uniform: Tensor, temperature: Tensor) -> Tensor:
    """Return a token per row of `logits` (rows, vocabulary) by inverting the distribution at u.

    Rows of temperature 0 take the likeliest token. One token in about a million may differ
    between batches of different shape, where the float error of the logits crosses u.
    """
    greedy = logits.argmax(-1)
    hot = temperature > 0
    if not bool(hot.any()):
        return greedy
    scaled = logits / torch.where(hot, temperature, 1.0)[:, None]
    edges = scaled.softmax(-1).cumsum(-1, dtype=torch.float64)
    aim = uniform[:, None] * edges[:, -1:]
    drawn = torch.searchsorted(edges, aim, right=True)[:, 0].clamp(max=logits.shape[-1] - 1)
    return torch.where(hot, drawn, greedy)


def _mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return splitmix64's finalizer of x; arrays wrap around silently."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
