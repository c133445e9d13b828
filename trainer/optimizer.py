"""The optimizer and its learning rate."""

from __future__ import annotations

import math

import torch

from trainer.config import TrainConfig


def build(model: torch.nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """Return AdamW over the parameters that are trained.

    It decays matrices only: decaying norms and biases pulls them to 0 for nothing.
    """
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if _is_matrix(p)], "weight_decay": config.weight_decay},
        {"params": [p for p in trained if not _is_matrix(p)], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.lr, fused=True)


def _is_matrix(parameter: torch.Tensor) -> bool:
    shape = getattr(parameter, "ds_shape", parameter.shape)  # what ZeRO 3 leaves in place has none
    return len(shape) >= 2


def schedule(iteration: int, iterations: int, warmup: float) -> float:
    """Return the factor on the learning rate: linear up over `warmup`, then cosine to 0."""
    ramp = math.ceil(warmup * iterations)
    if iteration < ramp:
        return (iteration + 1) / ramp
    return 0.5 * (1 + math.cos(math.pi * (iteration - ramp) / max(1, iterations - ramp)))
