"""What a run will take: bytes for weights, gradients, optimizer and activations, before it starts.

Nothing is allocated for it: the backbone is rebuilt without memory (torch's meta device) and the
tensors that its forward pass keeps for the backward pass are counted.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from trainer.config import TrainConfig, TrainError

FLOAT = 4  # bytes; weights, gradients and moments are float32
MOMENTS = 2  # AdamW keeps two numbers per trained weight
TIGHT = 0.9  # of the free memory: more than that is worth a warning
NAME = "counted"
CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Parts:
    """Bytes that one weight takes on one process's device: fewer where others hold a part of it."""

    weights: float = FLOAT
    gradients: float = FLOAT
    moments: float = FLOAT * MOMENTS


ONE_DEVICE = Parts()


class EstimateError(ValueError):
    """A backbone whose memory cannot be counted without running it; the text says why."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Bytes that training needs at its peak on one device, by what they are for."""

    weights: int
    gradients: int
    optimizer: int
    activations: int

    @property
    def total(self) -> int:
        """All of them at once: the backward pass of the longest batch, moments present."""
        return self.weights + self.gradients + self.optimizer + self.activations

    def __str__(self) -> str:
        parts = ("weights", "gradients", "optimizer", "activations")
        listed = ", ".join(f"{name} {size(getattr(self, name))}" for name in parts)
        return f"memory: {size(self.total)} ({listed})"


@dataclass(frozen=True, slots=True)
class Room:
    """The memory of a device in bytes, and what of it is free."""

    total: int
    free: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will take: memory, steps, tokens and seconds.

    `memory` is None where nobody asked for an estimate, `room` where the device does not say,
    `seconds` where no batch was tried.
    """

    memory: Estimate | None
    room: Room | None
    iterations: int
    tokens: int
    seconds: float | None = None

    def __str__(self) -> str:
        of = f" of {size(self.room.free)} free" if self.room else ""
        work = f"{self.iterations:,} steps, {self.tokens:,} tokens; "
        if self.seconds is None:
            work += "time to go is known after some"
        else:
            work += f"about {duration(self.seconds)} at the pace of a batch that was tried"
        return f"{self.memory}{of}; {work}" if self.memory else work


def estimate(
    model: nn.Module, config: TrainConfig, longest: int, parts: Parts = ONE_DEVICE
) -> Estimate:
    """Return what training `model` needs at its peak on the device of one process.

    `longest` is the longest solution in tokens; a batch has `config.max_tokens`, or one longer
    solution alone. Activations are counted in float32: with bfloat16 they are an upper bound.
    """
    count = sum(map(_whole, model.parameters()))
    trained = sum(_whole(p) for p in model.parameters() if p.requires_grad)
    tokens = max(config.max_tokens, longest)
    backbone: Any = model.model
    return Estimate(
        weights=round(parts.weights * count),
        gradients=round(parts.gradients * trained),
        optimizer=round(parts.moments * trained),
        activations=activations(backbone.config, tokens, config.gradient_checkpointing),
    )


def _whole(parameter: nn.Parameter) -> int:
    """Return a parameter's size, also where DeepSpeed has left a process only a part of it."""
    size: int = getattr(parameter, "ds_numel", parameter.numel())
    return size


def activations(config: Any, tokens: int, checkpointing: bool = False) -> int:
    """Return the bytes that a backbone keeps between its passes for a row of `tokens`.

    With `checkpointing` that is the input of each layer, and what one layer keeps at a time. Raise
    `EstimateError` for a backbone that does not run without memory.
    """
    layers = config.num_hidden_layers
    try:
        one, two = (_kept(config, count, tokens) for count in (1, 2))
    except (AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise EstimateError(
            f"the memory that {config.model_type} takes is not known: {error}"
        ) from error
    layer, rest = two - one, 2 * one - two
    if not checkpointing:
        return rest + layer * layers
    return rest + layer + layers * FLOAT * tokens * int(config.hidden_size)


def _kept(config: Any, layers: int, tokens: int) -> int:
    """Return the bytes that a backbone of some layers keeps for its backward pass."""
    import copy

    from transformers import AttentionInterface, AutoModel

    AttentionInterface.register(NAME, _attention)
    config = copy.deepcopy(config)
    config.num_hidden_layers = layers
    if getattr(config, "layer_types", None):
        config.layer_types = (list(config.layer_types) * layers)[:layers]
    config._attn_implementation = NAME
    with torch.device("meta"):
        backbone = AutoModel.from_config(config).train()
        own = {id(p) for p in backbone.parameters()}
        seen: dict[int, Tensor] = {}

        def keep(tensor: Tensor) -> Tensor:
            base = tensor if tensor._base is None else tensor._base
            if id(base) not in own:
                seen[id(base)] = base  # kept alive, so that no other takes its id
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            backbone(input_ids=torch.zeros(1, tokens, dtype=torch.long), use_cache=False)
    return sum(base.numel() * base.element_size() for base in seen.values())


class _Flash(torch.autograd.Function):
    """Keep what a flash kernel keeps: its inputs and its output, no square of scores."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        seen = torch.empty_like(query)
        ctx.save_for_backward(query, key, value, seen)
        return seen

    @staticmethod
    def backward(ctx: Any, *_: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value, _seen = ctx.saved_tensors
        return query, key, value


def _attention(
    _: Any, query: Tensor, key: Tensor, value: Tensor, *__: Any, **___: Any
) -> tuple[Tensor, None]:
    apply: Callable[..., Tensor] = _Flash.apply
    return apply(query, key, value).transpose(1, 2).contiguous(), None


def room(device: torch.device) -> Room | None:
    """Return a device's memory (of a CPU: the machine's, or its container's), None if unknown."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        return Room(total, free)
    if device.type != "cpu" or "SC_AVPHYS_PAGES" not in os.sysconf_names:
        return None
    page = os.sysconf("SC_PAGE_SIZE")
    total = page * os.sysconf("SC_PHYS_PAGES")
    return _contained(Room(total, _available(page)))


def _available(page: int) -> int:
    """Return what Linux could free at once, its file caches included."""
    info = Path("/proc/meminfo")
    for line in info.read_text().splitlines() if info.is_file() else ():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return page * os.sysconf("SC_AVPHYS_PAGES")


def _contained(machine: Room) -> Room:
    """Return what a container's limit leaves of a machine's memory."""
    limit, used = (_number(CGROUP / name) for name in ("memory.max", "memory.current"))
    if limit is None or used is None:
        return machine
    stat = CGROUP / "memory.stat"
    rows = dict(line.split() for line in stat.read_text().splitlines()) if stat.is_file() else {}
    caches = sum(int(rows.get(name, 0)) for name in ("inactive_file", "active_file"))
    free = limit - used + caches  # caches of files are let go of when memory is wanted
    return Room(min(machine.total, limit), max(0, min(machine.free, free)))


def _number(file: Path) -> int | None:
    text = file.read_text().strip() if file.is_file() else ""
    return int(text) if text.isdigit() else None


def check(wanted: Estimate, device: torch.device, found: Room | None) -> str | None:
    """Return a warning where memory is tight, None where it is not.

    Raise `TrainError` where the run cannot fit into the device at all.
    """
    if found is None:
        return None
    if wanted.total > found.total:
        raise TrainError(
            f"{wanted}: the {device.type} has {size(found.total)}. Smaller max_tokens, "
            "gradient_checkpointing, lora or more processes need less (memory_check off tries)"
        )
    if wanted.total > TIGHT * found.free:
        return f"{wanted}: only {size(found.free)} of the {device.type}'s memory is free"
    return None


def duration(seconds: float) -> str:
    """Return a time in words: two units at most."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def size(count: float) -> str:
    """Return bytes in words."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"
