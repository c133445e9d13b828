"""`torch.compile` for what a backbone's layers do token by token.

Feed-forward parts and norms see a packed row as so many tokens, whatever solutions it holds, so one
compiled function with a free length serves all steps and all layers. Attention sees where solutions
begin, which differs at every step, and stays as it is. Names of weights do not change.
"""

from __future__ import annotations

from typing import Any

from trainer.config import TrainError

PARTS = ("mlp", "input_layernorm", "post_attention_layernorm")


def enable(backbone: Any) -> None:
    """Compile the parts of each layer at their first use; raise `TrainError` where none is."""
    parts = [
        part
        for layer in getattr(backbone, "layers", ())
        for name in PARTS
        if (part := getattr(layer, name, None)) is not None
    ]
    if not parts:
        raise TrainError(f"{type(backbone).__name__} has no layers that compile knows")
    for part in parts:
        part.compile(dynamic=True)
