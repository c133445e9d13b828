"""Several processes that hold the weights in parts (FSDP2), one of which read them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch.distributed import checkpoint
from torch.distributed.checkpoint import state_dict
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor

from trainer import devices, optimizer
from trainer.config import TrainConfig
from trainer.estimate import FLOAT, MOMENTS, Parts
from trainer.model import ProcessRewardModel, layers
from trainer.processes import Processes


class Sharded(Processes):
    """See trainer.team.Team."""

    @property
    def parts(self) -> Parts:
        """See trainer.team.Team."""
        share = FLOAT / self.world
        return Parts(share, share, MOMENTS * share)

    def shard(self, model: ProcessRewardModel, config: TrainConfig) -> None:
        """See trainer.team.Team: each layer is gathered when it is needed, and no longer."""
        policy = MixedPrecisionPolicy()
        if self.device.type == "cuda" and devices.takes_bf16(config, self.device):
            policy = MixedPrecisionPolicy(torch.bfloat16, reduce_dtype=torch.float32)
        mesh = dist.init_device_mesh(self.device.type, (self.world,))
        for module in (*layers(model.model), model):
            fully_shard(module, mesh=mesh, mp_policy=policy)
        model.to_empty(device=self.device)
        options = state_dict.StateDictOptions(full_state_dict=True, broadcast_from_rank0=True)
        state_dict.set_model_state_dict(model, self.read, options=options)
        self.send_buffers(model)

    def prepare(
        self, model: ProcessRewardModel, config: TrainConfig
    ) -> tuple[ProcessRewardModel, torch.optim.Optimizer]:
        """See trainer.team.Team."""
        return model, optimizer.build(model, config)

    def step(self, model: ProcessRewardModel, fit: torch.optim.Optimizer, limit: float) -> float:
        """See trainer.team.Team."""
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), limit)
        fit.step()
        fit.zero_grad(set_to_none=True)
        return (norm.full_tensor() if isinstance(norm, DTensor) else norm).item()

    def whole(self, model: ProcessRewardModel) -> dict[str, torch.Tensor]:
        """See trainer.team.Team."""
        options = state_dict.StateDictOptions(full_state_dict=True, cpu_offload=True)
        weights: Any = state_dict.get_model_state_dict(model, options=options)
        return dict(weights)

    def save(
        self,
        path: Path,
        numbers: Mapping[str, Any],
        model: ProcessRewardModel,
        fit: torch.optim.Optimizer | None = None,
    ) -> None:
        """See trainer.team.Team: a folder; each process writes its part of the tensors."""
        partial = path.with_suffix(".partial")
        checkpoint.save(_tensors(model, fit), checkpoint_id=partial)
        self.put(partial, path, numbers)

    def load(
        self, path: Path, model: ProcessRewardModel, fit: torch.optim.Optimizer | None = None
    ) -> None:
        """See trainer.team.Team."""
        tensors = _tensors(model, fit)
        checkpoint.load(tensors, checkpoint_id=path)
        model.take(tensors["model"])
        if fit is not None:
            state_dict.set_optimizer_state_dict(model, fit, tensors["optimizer"])


def _tensors(model: ProcessRewardModel, fit: torch.optim.Optimizer | None) -> dict[str, Any]:
    """Return this process's parts of what is saved, which are also the places to read it into."""
    tensors: dict[str, Any] = {"model": model.trained(model.state_dict())}
    if fit is not None:
        tensors["optimizer"] = state_dict.get_optimizer_state_dict(model, fit)
    return tensors
