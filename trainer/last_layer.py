"""A backbone's last layer, computed only where a step ends.

Nothing reads the last layer's states at other tokens: there its queries, its feed-forward part and
the final norm are work for nothing, a quarter of a model of four layers. Keys and values are of all
tokens, as ever, and the result is the same.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from trainer.attention import CLOSE, PROBE, Packing, states

READ = (2, 4, 5, 7)  # of the probe's tokens: in both solutions, and their ends


def enable(backbone: Any) -> bool:
    """Let a packed backbone compute its last layer where `Packing.read` says; say whether it can.

    It can where its layers are made as Llama's are, which a trial decides: the states must be those
    that the whole layer gives.
    """
    training = backbone.training
    backbone.eval()
    packing = Packing(tuple(len(part) for part in PROBE))
    read = torch.tensor(READ)
    try:
        expected = states(backbone, sum(PROBE, ()), packing)[:, read]
        patch(backbone)
        found = states(backbone, sum(PROBE, ()), replace(packing, read=read))
        able = found.shape == expected.shape
        able = able and bool((found - expected).abs().max() <= CLOSE * expected.abs().max())
    except (AttributeError, TypeError, ValueError, RuntimeError):
        able = False
    finally:
        backbone.train(training)
    if not able:
        restore(backbone)
    return able


def patch(backbone: Any) -> None:
    """Let the last layer's forward pass heed `Packing.read`."""
    layer = backbone.layers[-1]
    layer.forward = partial(_forward, layer, layer.forward)


def restore(backbone: Any) -> None:
    """Give the last layer its own forward pass back."""
    layers = getattr(backbone, "layers", None)
    if layers and "forward" in vars(layers[-1]):
        del layers[-1].forward


def _forward(
    layer: Any,
    whole: Any,
    hidden_states: Tensor,
    *,
    packing: Packing | None = None,
    **more: Any,
) -> Tensor:
    """Return (1, n, h) for the n tokens that are read, or what `whole` returns where all are."""
    if packing is None or packing.read is None:
        seen: Tensor = whole(hidden_states, packing=packing, **more)
        return seen
    normed = layer.input_layernorm(hidden_states)
    attended = layer.self_attn(hidden_states=normed, packing=packing, only=packing.read, **more)[0]
    kept = (hidden_states + attended)[:, packing.read]
    feed_forward: nn.Module = layer.mlp
    return kept + feed_forward(layer.post_attention_layernorm(kept))
