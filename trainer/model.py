"""The process reward model: a causal backbone and a small head read only at the step tokens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from trainer import attention, last_layer, remote_code
from trainer.attention import Packing

# Below this many tokens plain matrix products beat the CPU's flash kernel (measured: 1.3 x at 45
# tokens with bf16 products 3 x); above it the quadratic memory counts.
SHORT = 256
LABELS = {0: "wrong", 1: "right"}


class ModelError(ValueError):
    """A model directory that cannot be used; the text says why."""


class ProcessRewardModel(nn.Module):
    """Score steps: backbone states at the step tokens through `score` to (wrong, right) logits.

    `score` is Linear(h, h), ReLU, Linear(h, 2) for Qwen2 (the published layout) and Linear(h, 2)
    for the other backbones (token classification, which is all that vLLM serves).
    """

    def __init__(self, backbone: Any, score: nn.Module) -> None:
        super().__init__()
        self.model = backbone
        self.score = score
        self.packs = False
        self.trims = False  # the last layer computes the states that are read, and no others

    def enable_packing(self) -> bool:
        """Read packed rows from now on, and nothing else, where the backbone can; say whether."""
        self.packs = attention.enable(self.model)
        self.trims = self.packs and last_layer.enable(self.model)
        return self.packs

    def trained(self, weights: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return those of the weights that training changes: frozen ones are read again."""
        frozen = {name for name, p in self.named_parameters() if not p.requires_grad}
        return {name: tensor for name, tensor in weights.items() if name not in frozen}

    def take(self, weights: dict[str, Tensor]) -> None:
        """Take over weights, and keep those that are not among them."""
        self.load_state_dict({**self.state_dict(), **weights})

    @property
    def device(self) -> torch.device:
        """The device that the weights are on."""
        return next(self.parameters()).device

    def forward(
        self, ids: Tensor, rows: Tensor, columns: Tensor, packing: Packing | None = None
    ) -> Tensor:
        """Return float32 logits (n, 2) at `ids[rows, columns]` for `ids` (b, t).

        Unpacked `ids` are padded on the right and need no mask: attention is causal, so no token
        sees the padding behind it. With `packing`, `ids` is one row of solutions end to end.
        """
        if packing is not None and self.trims:
            packing = replace(packing, read=columns)
        more = packing.inputs(ids.device) if packing else {}
        with _attention(ids) if packing is None else nullcontext():
            states = self.model(input_ids=ids, use_cache=False, **more).last_hidden_state
        states = states[0] if packing and packing.read is not None else states[rows, columns]
        logits: Tensor = self.score(states.to(next(self.score.parameters()).dtype))
        return logits.float()


def new_head(config: Any) -> nn.Module:
    """Build the head that fits a backbone's checkpoint layout."""
    hidden = config.hidden_size
    if config.model_type == "qwen2":
        return nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, len(LABELS)))
    return nn.Linear(hidden, len(LABELS))


def load_backbone(directory: str | Path) -> Any:
    """Load a directory's causal backbone in float32 without its language-model head.

    Raise `ModelError` where weights are missing (transformers would invent them silently) or
    where the model is not causal.
    """
    from transformers import AutoModel

    with quiet():
        try:
            backbone, report = AutoModel.from_pretrained(
                str(directory), dtype=torch.float32, output_loading_info=True
            )
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(f"no usable model in {directory}: {error}") from error
    if report["missing_keys"]:
        raise ModelError(f"{directory} lacks the weights {sorted(report['missing_keys'])[:3]}")
    check_causal(backbone)
    return backbone


def check_causal(backbone: Any) -> None:
    """Raise `ModelError` for a backbone that is none of a causal language model: it is tried."""
    config, name = backbone.config, type(backbone).__name__
    if getattr(config, "is_encoder_decoder", False) or not hasattr(config, "hidden_size"):
        raise ModelError(f"{name} is no decoder of text alone")
    try:
        few, more = (attention.states(backbone, tuple(range(1, end))) for end in (4, 7))
        causal = bool((few - more[:, :3]).abs().max() <= attention.CLOSE * few.abs().max())
    except (AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise ModelError(f"{name} cannot be read as a causal language model: {error}") from error
    if not causal:
        raise ModelError(f"{name} is not causal: tokens see those behind them")


def architecture(backbone: Any) -> str:
    """Return the class name under which transformers and vLLM read a new PRM of this backbone."""
    if backbone.config.model_type == "qwen2":
        return "Qwen2ForProcessRewardModel"
    return remote_code.class_name(backbone)


def layers(backbone: nn.Module) -> list[nn.Module]:
    """Return a backbone's layers: the list of modules that lies highest in it, or the longest."""
    lists = [(n, m) for n, m in backbone.named_modules() if isinstance(m, nn.ModuleList)]
    found = min(lists, key=lambda pair: (pair[0].count("."), -len(pair[1])), default=("", ()))
    return list(found[1])


def _attention(ids: Tensor) -> Any:
    short = ids.device.type == "cpu" and ids.shape[1] <= SHORT
    return sdpa_kernel(SDPBackend.MATH) if short else nullcontext()


@contextmanager
def quiet() -> Iterator[None]:
    """Silence transformers' report of the weights that a PRM does not use."""
    from transformers.utils import logging

    level = logging.get_verbosity()
    bars = logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
