"""Batches of similar length, and their split into micro-batches that changes nothing but memory."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

WINDOW = 16  # batches sorted together: enough to leave 2-3 % padding, few enough to stay random


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
    """Say which examples make up optimizer step i: a pure function of lengths, seed and i.

    Each epoch shuffles, sorts windows of 16 batches by length, cuts, and shuffles the batches.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self._lengths = lengths
        self._size = batch_size
        self._seed = seed
        self._epoch, self._batches = -1, [[0]]
        self.per_epoch = -(-len(lengths) // batch_size)

    def batch(self, iteration: int) -> list[int]:
        """Return the example indices of one optimizer step (0-based)."""
        epoch, place = divmod(iteration, self.per_epoch)
        if epoch != self._epoch:
            self._epoch, self._batches = epoch, self._shuffle(epoch)
        return self._batches[place]

    def _shuffle(self, epoch: int) -> list[list[int]]:
        draw = random.Random(f"{self._seed}:{epoch}")  # noqa: S311 (an order, not a secret)
        order = list(range(len(self._lengths)))
        draw.shuffle(order)
        batches = []
        for begin in range(0, len(order), WINDOW * self._size):
            window = order[begin : begin + WINDOW * self._size]
            window.sort(key=self._lengths.__getitem__)
            batches += [window[i : i + self._size] for i in range(0, len(window), self._size)]
        draw.shuffle(batches)
        return batches


def micro_batches(lengths: Sequence[int], max_tokens: int) -> Iterator[list[int]]:
    """Split indices, longest first, so that a padded micro-batch holds at most `max_tokens`.

    An example longer than `max_tokens` stands alone.
    """
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    while order:
        count = max(1, max_tokens // max(1, lengths[order[0]]))
        yield order[:count]
        order = order[count:]


def collate(examples: Sequence[Example]) -> Batch:
    """Pad examples on the right (with token 0, which no other token sees) and gather targets."""
    width = max(len(example.ids) for example in examples)
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
