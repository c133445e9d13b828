"""The processes of one run: who does what of an optimizer step, and who holds which weights.

`accelerate launch` or `torchrun` start the processes. Every process knows the whole plan, so that
they divide a step without asking each other, and its loss by all labels of the step. Weights,
gradients and moments are sharded by torch's FSDP2, on GPUs and, for the tests, on CPUs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch

from trainer.checkpoints import Start
from trainer.config import TrainConfig, TrainError
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

    def share(self, make: Callable[[], Start]) -> Start:
        """Let the first process make something for all; weights stay where they are."""
        ...

    def shard(self, model: ProcessRewardModel, config: TrainConfig) -> None:
        """Divide a shared model's weights among the processes."""
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

    def moments(self, model: ProcessRewardModel, fit: torch.optim.Optimizer) -> dict[str, Any]:
        """Return what the optimizer remembers."""
        ...

    def take_moments(
        self, model: ProcessRewardModel, fit: torch.optim.Optimizer, rows: dict[str, Any]
    ) -> None:
        """Let the optimizer remember what `moments` returned."""
        ...

    def norm(self, model: ProcessRewardModel, limit: float) -> float:
        """Clip the gradient at `limit`; return its norm before."""
        ...

    def save(self, rows: dict[str, Any], path: Path) -> None:
        """Write tensors and numbers; a kill leaves the old or the new (see trainer.folders)."""
        ...

    def load(self, rows: dict[str, Any], path: Path) -> dict[str, Any]:
        """Read what `save` wrote; `rows` are the places of the tensors."""
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
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return Alone()
    if os.environ.get("ACCELERATE_USE_DEEPSPEED", "").lower() == "true":
        raise TrainError("with several processes weights are sharded by FSDP, not by DeepSpeed")
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

    def share(self, make: Callable[[], Start]) -> Start:
        """See Team."""
        return make()

    def shard(self, model: ProcessRewardModel, config: TrainConfig) -> None:
        """See Team."""

    def total(self, value: torch.Tensor) -> torch.Tensor:
        """See Team."""
        return value

    def gather(self, value: T) -> list[T]:
        """See Team."""
        return [value]

    def whole(self, model: ProcessRewardModel) -> dict[str, torch.Tensor]:
        """See Team."""
        return model.state_dict()

    def moments(
        self,
        model: ProcessRewardModel,  # noqa: ARG002
        fit: torch.optim.Optimizer,
    ) -> dict[str, Any]:
        """See Team."""
        return fit.state_dict()

    def take_moments(
        self,
        model: ProcessRewardModel,  # noqa: ARG002
        fit: torch.optim.Optimizer,
        rows: dict[str, Any],
    ) -> None:
        """See Team."""
        fit.load_state_dict(rows)

    def norm(self, model: ProcessRewardModel, limit: float) -> float:
        """See Team."""
        return float(torch.nn.utils.clip_grad_norm_(model.parameters(), limit))

    def save(self, rows: dict[str, Any], path: Path) -> None:
        """See Team."""
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            torch.save(rows, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)

    def load(self, rows: dict[str, Any], path: Path) -> dict[str, Any]:  # noqa: ARG002
        """See Team."""
        read: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        return read

    def wait(self) -> None:
        """See Team."""

    def leave(self) -> None:
        """See Team."""


ALONE = Alone()
