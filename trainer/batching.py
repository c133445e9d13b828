"""Which examples make an optimizer step, and its split into micro-batches of similar length.

Steps are drawn at random and only their *inside* is sorted by length. Sorting across steps would
pad as little but gather labels: a solution is read up to its first error, so the short ones are the
wrong ones, and whole steps would hold nothing else (measured: step losses from .03 to 3.2).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

# Widths are rounded up and row counts are powers of two, so that few distinct shapes occur: the
# CPU's matrix kernels are compiled per shape, and the GPU's allocator likes repetition.
ROUND = 8


@dataclass(frozen=True, slots=True)
class Example:
    """One solution ready for the model: tokens, and the target in [0, 1] at some positions."""

    ids: list[int]
    positions: list[int]
    targets: list[float]


@dataclass(frozen=True, slots=True)
class Batch:
    """Right-padded `ids` (b, t) and, for n labels, their `rows`, `columns` and `targets` (n,)."""

    ids: Tensor
    rows: Tensor
    columns: Tensor
    targets: Tensor

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device."""
        tensors = (self.ids, self.rows, self.columns, self.targets)
        return Batch(*(tensor.to(device) for tensor in tensors))


class BatchPlan:
    """Say which examples make up optimizer step i: a pure function of their number, seed and i."""

    def __init__(self, examples: int, batch_size: int, seed: int) -> None:
        self._examples = examples
        self._size = batch_size
        self._seed = seed
        self._epoch, self._order = -1, [0]
        self.per_epoch = -(-examples // batch_size)

    def batch(self, iteration: int) -> list[int]:
        """Return the example indices of one optimizer step (0-based)."""
        epoch, place = divmod(iteration, self.per_epoch)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, list(range(self._examples))
            draw = random.Random(f"{self._seed}:{epoch}")  # noqa: S311 (an order, not a secret)
            draw.shuffle(self._order)
        return self._order[place * self._size : (place + 1) * self._size]


def micro_batches(lengths: Sequence[int], max_tokens: int) -> Iterator[list[int]]:
    """Yield index groups, longest first, each of 2^k examples and at most `max_tokens` padded.

    An example longer than `max_tokens` stands alone.
    """
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    while order:
        room = min(len(order), max(1, max_tokens // _width(lengths[order[0]])))
        count = 1 << (room.bit_length() - 1)
        yield order[:count]
        order = order[count:]


def collate(examples: Sequence[Example]) -> Batch:
    """Pad examples on the right (with token 0, which no other token sees) and gather targets."""
    width = _width(max(len(example.ids) for example in examples))
    ids = torch.zeros(len(examples), width, dtype=torch.long)
    for row, example in enumerate(examples):
        ids[row, : len(example.ids)] = torch.tensor(example.ids)
    counts = torch.tensor([len(example.positions) for example in examples])
    return Batch(
        ids=ids,
        rows=torch.arange(len(examples)).repeat_interleave(counts),
        columns=torch.tensor([place for e in examples for place in e.positions]),
        targets=torch.tensor([target for e in examples for target in e.targets]),
    )


def _width(length: int) -> int:
    return -(-length // ROUND) * ROUND
