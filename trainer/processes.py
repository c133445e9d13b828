"""What several processes have in common, however they hold the weights."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
import torch.distributed as dist

from trainer import attention, folders, last_layer
from trainer.checkpoints import Start
from trainer.config import TrainError
from trainer.model import ProcessRewardModel

T = TypeVar("T")
NUMBERS = "numbers.pt"


class Processes:
    """The part of trainer.team.Team that is talk: who is who, and who knows what."""

    way = "FSDP2"
    """How what this team saves is laid out: another way cannot read it."""

    def __init__(self) -> None:
        gpu = torch.cuda.is_available() and os.environ.get("ACCELERATE_USE_CPU", "") != "true"
        place = int(os.environ.get("LOCAL_RANK", "0"))
        self.device = torch.device("cuda", place) if gpu else torch.device("cpu")
        if gpu:
            torch.cuda.set_device(self.device)
        # gloo besides: what is sent as objects, and checkpoints, lie in the CPU's memory
        dist.init_process_group("cpu:gloo,cuda:nccl" if gpu else "gloo")
        self.rank, self.world = dist.get_rank(), dist.get_world_size()
        self.read: dict[str, Any] = {}
        self.read_buffers: dict[str, torch.Tensor] = {}

    def share(self, make: Callable[[], Start]) -> Start:
        """See trainer.team.Team: all get a model without weights; the first keeps them aside."""
        sent: list[Any] = [None]
        if self.rank == 0:
            model, encoder, _ = make()
            self.read = model.state_dict()
            self.read_buffers = dict(model.named_buffers())
            last_layer.restore(model.model)
            sent = [(model.to("meta"), encoder)]
        dist.broadcast_object_list(sent, src=0)
        model, encoder = sent[0]
        if model.packs:
            attention.register()
        if model.trims:
            last_layer.patch(model.model)
        return model, encoder, None

    def send_buffers(self, model: ProcessRewardModel) -> None:
        """Give all processes the first one's buffers, and let go of what it kept aside."""
        for name, buffer in model.named_buffers():
            if self.rank == 0:
                buffer.copy_(self.read_buffers[name])
            dist.broadcast(buffer, src=0)
        self.read, self.read_buffers = {}, {}

    def total(self, value: torch.Tensor) -> torch.Tensor:
        """See trainer.team.Team."""
        dist.all_reduce(value)
        return value

    def gather(self, value: T) -> list[T]:
        """See trainer.team.Team."""
        parts: list[Any] = [None] * self.world
        dist.all_gather_object(parts, value)
        return parts

    def put(self, partial: Path, path: Path, numbers: Mapping[str, Any]) -> None:
        """Complete what all have written to `partial`, and let it take the place of `path`."""
        self.wait()
        if self.rank == 0:
            torch.save({**numbers, "way": self.way}, partial / NUMBERS)
            folders.replace(partial, path)
        self.wait()

    def numbers(self, path: Path) -> dict[str, Any]:
        """See trainer.team.Team."""
        read: dict[str, Any] = torch.load(path / NUMBERS, weights_only=True)
        if read["way"] != self.way:
            raise TrainError(f"cannot resume from {path}: {read['way']} wrote it, not {self.way}")
        return read

    def wait(self) -> None:
        """See trainer.team.Team."""
        dist.barrier()

    def leave(self) -> None:
        """See trainer.team.Team."""
        dist.destroy_process_group()
