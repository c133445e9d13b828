"""The processes of one run: who does what of an optimizer step, and who holds which weights.

`accelerate launch` or `torchrun` start the processes. Every process knows the whole plan, so that
they divide a step without asking each other, and its loss by all labels of the step. Weights,
gradients and moments are kept in parts by torch's FSDP2 (trainer.sharded) or by DeepSpeed
(trainer.zero), on GPUs and, for the tests, on CPUs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch

from trainer import devices, optimizer
from trainer.checkpoints import Start
from trainer.config import TrainConfig
from trainer.estimate import Parts
from trainer.model import ProcessRewardModel

T = TypeVar("T")


class Team(Protocol):
    """What a run asks of its processes."""

    rank: int
    world: int

    @property
    def device(self) -> torch.device | None:
        """This process's device; None: the run's settings say."""
        ...

    @property
    def parts(self) -> Parts:
        """The bytes of a weight that lie on this process's device."""
        ...

    def share(self, make: Callable[[], Start]) -> Start:
        """Let the first process make something for all; weights stay where they are."""
        ...

    def shard(self, model: ProcessRewardModel, config: TrainConfig) -> None:
        """Put a shared model's weights, or this process's part of them, on the device."""
        ...

    def prepare(
        self, model: ProcessRewardModel, config: TrainConfig
    ) -> tuple[ProcessRewardModel, torch.optim.Optimizer]:
        """Return what stands for the model where gradients are wanted, and its optimizer."""
        ...

    def step(self, model: ProcessRewardModel, fit: torch.optim.Optimizer, limit: float) -> float:
        """Let the gradient, clipped at `limit`, change the weights; return its norm before."""
        ...

    def total(self, value: torch.Tensor) -> torch.Tensor:
        """Return the sum over the processes."""
        ...

    def gather(self, value: T) -> list[T]:
        """Return what each process has, by rank."""
        ...

    def whole(self, model: ProcessRewardModel) -> dict[str, torch.Tensor]:
        """Return the full weights on the first process, nothing on the others."""
        ...

    def save(
        self,
        path: Path,
        numbers: Mapping[str, Any],
        model: ProcessRewardModel,
        fit: torch.optim.Optimizer | None = None,
    ) -> None:
        """Write numbers, what training changes and what `fit` remembers.

        A kill leaves the old or the new (see trainer.folders).
        """
        ...

    def numbers(self, path: Path) -> dict[str, Any]:
        """Return the numbers that `save` wrote."""
        ...

    def load(
        self, path: Path, model: ProcessRewardModel, fit: torch.optim.Optimizer | None = None
    ) -> None:
        """Let the model and `fit` take over what `save` wrote of them."""
        ...

    def wait(self) -> None:
        """Return when all processes are here."""
        ...

    def leave(self) -> None:
        """End what connects the processes."""
        ...


def deal(team: Team, groups: Sequence[T]) -> Iterator[tuple[T, bool]]:
    """Yield this process's groups; all get the same number, a spare one marked True.

    Every pass through sharded weights is a common act: who has nothing left repeats a group and
    counts it as nothing.
    """
    for begin in range(0, len(groups), team.world):
        spare = begin + team.rank >= len(groups)
        yield (groups[begin] if spare else groups[begin + team.rank]), spare


def join() -> Team:
    """Return the team that the launcher's environment speaks of."""
    if os.environ.get("ACCELERATE_USE_DEEPSPEED", "").lower() == "true":
        from trainer.zero import Zero

        return Zero()  # also where it is one process: moments may lie in the CPU's memory
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return Alone()
    from trainer.sharded import Sharded

    return Sharded()


def is_first() -> bool:
    """Say whether this process speaks for the run."""
    return int(os.environ.get("RANK", "0")) == 0


class Alone:
    """One process: see Team."""

    rank = 0
    world = 1
    device: torch.device | None = None
    parts = Parts()

    def share(self, make: Callable[[], Start]) -> Start:
        """See Team."""
        return make()

    def shard(self, model: ProcessRewardModel, config: TrainConfig) -> None:
        """See Team."""
        model.to(devices.choose(config.device))

    def prepare(
        self, model: ProcessRewardModel, config: TrainConfig
    ) -> tuple[ProcessRewardModel, torch.optim.Optimizer]:
        """See Team."""
        return model, optimizer.build(model, config)

    def step(self, model: ProcessRewardModel, fit: torch.optim.Optimizer, limit: float) -> float:
        """See Team."""
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), limit)
        fit.step()
        fit.zero_grad(set_to_none=True)
        return float(norm)

    def total(self, value: torch.Tensor) -> torch.Tensor:
        """See Team."""
        return value

    def gather(self, value: T) -> list[T]:
        """See Team."""
        return [value]

    def whole(self, model: ProcessRewardModel) -> dict[str, torch.Tensor]:
        """See Team."""
        return model.state_dict()

    def save(
        self,
        path: Path,
        numbers: Mapping[str, Any],
        model: ProcessRewardModel,
        fit: torch.optim.Optimizer | None = None,
    ) -> None:
        """See Team."""
        rows = {**numbers, "model": model.trained(model.state_dict())}
        if fit is not None:
            rows["optimizer"] = fit.state_dict()
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            torch.save(rows, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)

    def numbers(self, path: Path) -> dict[str, Any]:
        """See Team."""
        # tensors stay in the file until they are wanted
        read: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        return read

    def load(
        self, path: Path, model: ProcessRewardModel, fit: torch.optim.Optimizer | None = None
    ) -> None:
        """See Team."""
        rows = torch.load(path, map_location="cpu", weights_only=True)
        model.take(rows["model"])
        if fit is not None:
            fit.load_state_dict(rows["optimizer"])

    def wait(self) -> None:
        """See Team."""

    def leave(self) -> None:
        """See Team."""


ALONE = Alone()
