"""Compiled layers give the losses, and the weights' names, of those that are not."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from trainer import compiling
from trainer.config import TrainConfig, TrainError
from trainer.training import train


@pytest.mark.skipif(not shutil.which("g++"), reason="torch.compile needs a C++ compiler: g++")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's compiler uses torch's old parts
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")
def test_compiling_changes_no_loss(config: Callable[..., TrainConfig], tmp_path: Path) -> None:
    plain = train(config(iterations=4))
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    compiled = train(config(iterations=4, compile=True, out=tmp_path / "compiled"))
    counted = torch._dynamo.utils.counters["stats"]
    assert counted["unique_graphs"] >= 2  # norms and feed-forward parts were compiled,
    assert counted["unique_graphs"] <= 8  # once for all lengths and layers
    assert compiled.losses == pytest.approx(plain.losses, rel=1e-4)
    before, after = (load_file(run.model / "model.safetensors") for run in (plain, compiled))
    assert before.keys() == after.keys()


def test_a_backbone_without_known_layers_is_refused() -> None:
    with pytest.raises(TrainError, match="Linear has no layers that compile knows"):
        compiling.enable(nn.Linear(2, 2))
