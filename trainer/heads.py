"""The heads of process reward models, ours and the published ones, as two logits (wrong, right)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from trainer.model import LABELS, ModelError, ProcessRewardModel, load_backbone, quiet


def classifier(tensors: Mapping[str, Tensor], hidden: int) -> nn.Module:
    """Build the head of `score.*` tensors (names without `score.`): two layers, or one.

    Two are Qwen2.5-Math-PRM's and ours for Qwen2; one is transformers' token classification, also
    what TRL's PRMTrainer saved for any backbone. Raise `ModelError` where they fit neither.
    """
    head: nn.Module
    if "weight" in tensors:
        head = nn.Linear(hidden, len(LABELS), bias="bias" in tensors)
    else:
        head = nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, len(LABELS)))
    try:
        head.load_state_dict(dict(tensors))
    except RuntimeError as error:
        raise ModelError(f"the head does not fit: {error}") from error
    return head


def says_signs(directory: Path, signs: tuple[int, int]) -> ProcessRewardModel:
    """Load a causal model that says wrong or right with two of its tokens (Math-Shepherd's kind).

    Its language-model head at these two tokens is the head: softmax over both is the same number.
    """
    from transformers import AutoModelForCausalLM

    with quiet():
        try:
            causal = AutoModelForCausalLM.from_pretrained(str(directory), dtype=torch.float32)
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(f"no usable model in {directory}: {error}") from error
    rows = causal.get_output_embeddings().weight.detach()[list(signs)].clone()
    head = nn.Linear(rows.shape[1], len(LABELS), bias=False)
    head.load_state_dict({"weight": rows})
    return ProcessRewardModel(causal.base_model, head)


def says_value(directory: Path) -> ProcessRewardModel:
    """Load a causal model with a value head (TRL's v_head, Skywork's kind).

    sigmoid(v) is softmax over (0, v), hence a first row of zeros.
    """
    found = read_tensors(directory, "v_head.summary.")
    if set(found) != {"weight", "bias"} or found["weight"].shape[0] != 1:
        raise ModelError(f"{directory} has no value head (v_head.summary.weight and bias)")
    head = nn.Linear(found["weight"].shape[1], len(LABELS))
    padded = {name: torch.cat([torch.zeros_like(t), t]) for name, t in found.items()}
    head.load_state_dict(padded)
    return ProcessRewardModel(load_backbone(directory), head)


def read_tensors(directory: Path, prefix: str) -> dict[str, Tensor]:
    """Return the tensors of a directory whose names begin so, by the rest of their names."""
    return dict(_read(directory, prefix))


def _read(directory: Path, prefix: str) -> Iterator[tuple[str, Any]]:
    for file in sorted(directory.glob("*.safetensors")):
        try:
            with safe_open(str(file), framework="pt") as tensors:
                for name in tensors.keys():  # noqa: SIM118 (not a mapping)
                    if name.startswith(prefix):
                        yield name.removeprefix(prefix), tensors.get_tensor(name)
        except SafetensorError as error:
            raise ModelError(f"{file}: {error}") from error
