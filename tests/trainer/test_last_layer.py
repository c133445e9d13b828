"""The last layer is computed where steps end, with the states and gradients of the whole layer."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModel

from tests.tiny_models import make_tiny
from trainer.attention import Packing
from trainer.model import ProcessRewardModel, load_backbone, new_head

LENGTHS = (7, 1, 12, 4)
COLUMNS = torch.tensor([0, 6, 7, 9, 10, 19, 23])


def logits_and_gradients(model: ProcessRewardModel, kernel: str) -> tuple[torch.Tensor, ...]:
    ids = torch.randint(4, 90, (1, sum(LENGTHS)), generator=torch.Generator().manual_seed(1))
    packing = Packing(LENGTHS, kernel)
    logits = model(ids, torch.zeros_like(COLUMNS), COLUMNS, packing)
    model.zero_grad()
    logits.square().sum().backward()
    grads = [p.grad.flatten() for p in model.parameters() if p.grad is not None]
    return logits, torch.cat(grads)


@pytest.mark.parametrize("kernel", ["each", "mask"])
@pytest.mark.parametrize(
    ("family", "sizes"),
    [("qwen2", {}), ("qwen3", {}), ("llama", {}), ("mistral", {"sliding_window": 3})],
)
def test_reading_some_tokens_changes_neither_logits_nor_gradients(
    tmp_path: Path, family: str, sizes: dict[str, int], kernel: str
) -> None:
    backbone = load_backbone(make_tiny(tmp_path, family, **sizes))
    model = ProcessRewardModel(backbone, new_head(backbone.config))
    assert model.enable_packing()
    assert model.trims
    found = logits_and_gradients(model, kernel)
    model.trims = False
    expected = logits_and_gradients(model, kernel)
    for some, whole in zip(found, expected, strict=True):
        torch.testing.assert_close(some, whole, rtol=1e-3, atol=1e-5)


def test_the_feed_forward_part_sees_the_tokens_that_are_read_and_no_others(tmp_path: Path) -> None:
    backbone = load_backbone(make_tiny(tmp_path, "llama"))
    model = ProcessRewardModel(backbone, new_head(backbone.config))
    model.enable_packing()
    seen: list[int] = []
    for layer in backbone.layers:
        layer.mlp.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].shape[1]))
    logits_and_gradients(model, "each")
    assert seen == [*[sum(LENGTHS)] * (len(backbone.layers) - 1), len(COLUMNS)]


def test_a_backbone_of_other_layers_is_packed_and_computed_whole(tmp_path: Path) -> None:
    # Olmo 2 norms what attention gives and not what it takes.
    backbone = AutoModel.from_pretrained(make_tiny(tmp_path, "olmo2"))
    model = ProcessRewardModel(backbone, new_head(backbone.config))
    assert model.enable_packing()
    assert not model.trims
    assert "forward" not in vars(backbone.layers[-1])
    assert logits_and_gradients(model, "each")[0].isfinite().all()
