"""Losses and gradients of whole optimizer steps, however they are split into batches."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import torch

from trainer.batching import Batch, Example, form, split
from trainer.config import TrainConfig
from trainer.devices import products
from trainer.losses import label_losses, label_weights
from trainer.model import ProcessRewardModel
from trainer.team import ALONE, Team, deal


def accumulate(
    model: ProcessRewardModel,
    examples: Sequence[Example],
    config: TrainConfig,
    team: Team = ALONE,
) -> tuple[float, int]:
    """Add the gradient of the mean loss over all labels of `examples`; return (loss, padded size).

    The divisor is the labels' weight in the whole optimizer step, so that any split into batches
    and among processes gives the same loss and gradient (TRL's trainer failed this: ML_PEERS 1.2).
    """
    whole = weight(examples, config)
    total = torch.zeros(2, dtype=torch.float64)  # of the loss, and of tokens with padding
    for batch, spare in _batches(model, examples, config, team):
        loss = _loss_sum(model, batch.to(model.device), config) / whole
        # the processes' gradients are averaged
        (loss * (0 if spare else team.world)).backward()
        if not spare:
            total += torch.tensor([loss.item(), batch.ids.numel()])
    loss_sum, padded = team.total(total.to(model.device)).tolist()
    return loss_sum, round(padded)


def trial(model: ProcessRewardModel, examples: Sequence[Example], config: TrainConfig) -> float:
    """Return the tokens per second of a batch of `examples`, both ways; nothing is left of it.

    It is done twice and timed the second time: the first chooses kernels and asks for memory.
    """
    lengths = [len(example.ids) for example in examples]
    some = [examples[index] for index in split(lengths, config.max_tokens, model.packs)[0]]
    begun = 0.0
    with torch.random.fork_rng():
        for _ in range(2):
            begun = time.monotonic()
            accumulate(model, some, config)
            model.zero_grad(set_to_none=True)
    return sum(len(example.ids) for example in some) / (time.monotonic() - begun)


@torch.no_grad()
def mean_loss(
    model: ProcessRewardModel,
    examples: Sequence[Example],
    config: TrainConfig,
    team: Team = ALONE,
) -> float:
    """Return the mean loss over all labels of `examples`."""
    total = torch.zeros((), dtype=torch.float64)
    for batch, spare in _batches(model, examples, config, team):
        loss = _loss_sum(model, batch.to(model.device), config).item()
        total += 0 if spare else loss
    return team.total(total.to(model.device)).item() / weight(examples, config)


def _batches(
    model: ProcessRewardModel, examples: Sequence[Example], config: TrainConfig, team: Team
) -> Iterator[tuple[Batch, bool]]:
    lengths = [len(example.ids) for example in examples]
    for chosen, spare in deal(team, split(lengths, config.max_tokens, model.packs)):
        yield form([examples[index] for index in chosen], model.packs), spare


def weight(examples: Sequence[Example], config: TrainConfig) -> float:
    """Return what all labels of `examples` weigh together."""
    targets = torch.tensor([target for e in examples for target in e.targets], dtype=torch.float64)
    return label_weights(targets, config.wrong_weight).sum().item()


def _loss_sum(model: ProcessRewardModel, batch: Batch, config: TrainConfig) -> torch.Tensor:
    with products(config, batch.ids.device):
        logits = model(batch.ids, batch.rows, batch.columns, batch.packing)
    losses = label_losses(logits, batch.targets, batch.trials, config.objective)
    return (losses * label_weights(batch.targets, config.wrong_weight)).sum()
