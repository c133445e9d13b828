"""What a step's two logits cost against its label.

Every objective reads the same two logits (wrong, right), whose softmax is the score that is
served, so that the choice of one changes nothing behind the training.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own convention)
from torch import Tensor


def label_losses(logits: Tensor, targets: Tensor, trials: Tensor, objective: str) -> Tensor:
    """Return the loss (n,) of logits (n, 2) against targets (n,), each a share of its trials (n,).

    "hard": cross-entropy (targets 0 or 1); "soft": squared error of the probability of right
    (arXiv 2501.07301, 2.1); "beta": see `beta_binomial`.
    """
    if objective == "hard":
        return F.cross_entropy(logits, targets.long(), reduction="none")
    if objective == "soft":
        return F.mse_loss(logits.softmax(dim=-1)[:, 1], targets, reduction="none")
    return beta_binomial(logits, (targets * trials).round(), trials)


def beta_binomial(logits: Tensor, successes: Tensor, trials: Tensor) -> Tensor:
    """Return -log P(k ordered successes in n) under Beta(exp(right), exp(wrong)).

    The mean of that Beta is the softmax of the logits, and what the two have in common says how
    sure it is. With n = 1 this is cross-entropy. Rising factorials in logs, not gamma functions:
    these would cancel where a Beta is sharp.
    """
    wrong, right = logits.unbind(dim=-1)
    return (
        _log_rising(torch.logaddexp(wrong, right), trials)
        - _log_rising(right, successes)
        - _log_rising(wrong, trials - successes)
    )


def label_weights(targets: Tensor, wrong_weight: float) -> Tensor:
    """Return each label's weight (n,): 1 right, `wrong_weight` wrong, in between for shares."""
    return targets + wrong_weight * (1 - targets)


def _log_rising(log_base: Tensor, count: Tensor) -> Tensor:
    """Return log of a (a + 1) … (a + count - 1) from log a."""
    longest = int(count.max())
    places = torch.arange(longest, device=count.device)
    terms = torch.logaddexp(log_base[:, None], places.to(log_base.dtype).log()[None])
    return torch.where(places[None] < count[:, None], terms, 0.0).sum(dim=-1)
