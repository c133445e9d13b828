"""Several processes that hold the weights in parts (FSDP2), one of which read them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch.distributed import checkpoint
from torch.distributed.checkpoint import state_dict
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor

from trainer import attention, devices, folders, last_layer
from trainer.checkpoints import Start
from trainer.config import TrainConfig
from trainer.model import ProcessRewardModel

T = TypeVar("T")
NUMBERS = "numbers.pt"


class Sharded:
    """See trainer.team.Team."""

    def __init__(self) -> None:
        gpu = torch.cuda.is_available() and os.environ.get("ACCELERATE_USE_CPU", "") != "true"
        place = int(os.environ.get("LOCAL_RANK", "0"))
        self.device = torch.device("cuda", place) if gpu else torch.device("cpu")
        if gpu:
            torch.cuda.set_device(self.device)
        # gloo besides: what is sent as objects, and checkpoints, lie in the CPU's memory
        dist.init_process_group("cpu:gloo,cuda:nccl" if gpu else "gloo")
        self.rank, self.world = dist.get_rank(), dist.get_world_size()
        self._read: dict[str, Any] = {}
        self._buffers: dict[str, torch.Tensor] = {}

    def share(self, make: Callable[[], Start]) -> Start:
        """See trainer.team.Team: all get a model without weights; the first keeps them aside."""
        sent: list[Any] = [None]
        if self.rank == 0:
            model, encoder, _ = make()
            self._read = model.state_dict()
            self._buffers = dict(model.named_buffers())
            last_layer.restore(model.model)
            sent = [(model.to("meta"), encoder)]
        dist.broadcast_object_list(sent, src=0)
        model, encoder = sent[0]
        if model.packs:
            attention.register()
        if model.trims:
            last_layer.patch(model.model)
        return model, encoder, None

    def shard(self, model: ProcessRewardModel, config: TrainConfig) -> None:
        """See trainer.team.Team: each layer is gathered when it is needed, and no longer."""
        policy = MixedPrecisionPolicy()
        if self.device.type == "cuda" and devices.takes_bf16(config, self.device):
            policy = MixedPrecisionPolicy(torch.bfloat16, reduce_dtype=torch.float32)
        mesh = dist.init_device_mesh(self.device.type, (self.world,))
        layers: Any = model.model.layers
        for module in (*layers, model):
            fully_shard(module, mesh=mesh, mp_policy=policy)
        model.to_empty(device=self.device)
        options = state_dict.StateDictOptions(full_state_dict=True, broadcast_from_rank0=True)
        state_dict.set_model_state_dict(model, self._read, options=options)
        for name, buffer in model.named_buffers():
            if self.rank == 0:
                buffer.copy_(self._buffers[name])
            dist.broadcast(buffer, src=0)
        self._read, self._buffers = {}, {}

    def total(self, value: torch.Tensor) -> torch.Tensor:
        """See trainer.team.Team."""
        dist.all_reduce(value)
        return value

    def gather(self, value: T) -> list[T]:
        """See trainer.team.Team."""
        parts: list[Any] = [None] * self.world
        dist.all_gather_object(parts, value)
        return parts

    def whole(self, model: ProcessRewardModel) -> dict[str, torch.Tensor]:
        """See trainer.team.Team."""
        options = state_dict.StateDictOptions(full_state_dict=True, cpu_offload=True)
        weights: Any = state_dict.get_model_state_dict(model, options=options)
        return dict(weights)

    def moments(self, model: ProcessRewardModel, fit: torch.optim.Optimizer) -> dict[str, Any]:
        """See trainer.team.Team."""
        return state_dict.get_optimizer_state_dict(model, fit)

    def take_moments(
        self, model: ProcessRewardModel, fit: torch.optim.Optimizer, rows: dict[str, Any]
    ) -> None:
        """See trainer.team.Team."""
        state_dict.set_optimizer_state_dict(model, fit, rows)

    def norm(self, model: ProcessRewardModel, limit: float) -> float:
        """See trainer.team.Team."""
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), limit)
        return (norm.full_tensor() if isinstance(norm, DTensor) else norm).item()

    def save(self, rows: dict[str, Any], path: Path) -> None:
        """See trainer.team.Team: a folder; each process writes its part of the tensors."""
        partial = path.with_suffix(".partial")
        tensors, numbers = _parted(rows)
        checkpoint.save(tensors, checkpoint_id=partial)
        if self.rank == 0:
            torch.save(numbers, partial / NUMBERS)
            folders.replace(partial, path)
        self.wait()

    def load(self, rows: dict[str, Any], path: Path) -> dict[str, Any]:
        """See trainer.team.Team."""
        tensors, _ = _parted(rows)
        checkpoint.load(tensors, checkpoint_id=path)
        numbers: dict[str, Any] = torch.load(path / NUMBERS, weights_only=True)
        return {**numbers, **tensors}

    def wait(self) -> None:
        """See trainer.team.Team."""
        dist.barrier()

    def leave(self) -> None:
        """See trainer.team.Team."""
        dist.destroy_process_group()


def _parted(rows: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what holds tensors, and the rest."""
    tensors: dict[str, Any] = {n: rows[n] for n in ("model", "optimizer") if n in rows}
    return tensors, {name: value for name, value in rows.items() if name not in tensors}
