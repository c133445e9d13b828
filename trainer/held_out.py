"""Solutions that a run does not train on: how well it does on them, and when that is enough."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from trainer import evaluation
from trainer.config import TrainConfig, TrainError
from trainer.dataset import load_dataset
from trainer.encoding import Encoder
from trainer.gradients import mean_loss
from trainer.model import ProcessRewardModel
from trainer.records import read_jsonl
from trainer.scorers import Scored, Unscored
from trainer.scoring import step_scores
from trainer.team import Team


@dataclass(frozen=True, slots=True)
class Figures:
    """The mean loss over held-out labels, and F1 of first errors (None: undefined)."""

    loss: float
    f1: float | None

    def value(self, watch: str) -> float:
        """Return what is watched, so that more is better."""
        if watch == "loss":
            return -self.loss
        return -math.inf if self.f1 is None else self.f1


class HeldOut:
    """Held-out records, encoded as the training's are."""

    def __init__(self, path: Path, config: TrainConfig, encoder: Encoder, team: Team) -> None:
        """Read them; raise what `load_dataset` does, and `TrainError` where F1 is undefined."""
        self._team = team
        self._config = replace(config, max_labels=None)
        data = load_dataset(self._config, encoder, path)
        self.sha256, self._examples = data.sha256, data.examples
        self._records = [r for r in read_jsonl(path) if r.first_error is not None]
        if config.watch == "f1" and len({r.first_error == -1 for r in self._records}) < 2:
            raise TrainError(f"{path} lacks solutions with a known first error, or right ones")
        self._encoded = encoder.encode_many((r.prompt, r.steps) for r in self._records)
        self._flaws = [
            e.flaw(len(r.steps), encoder.max_length)
            for r, e in zip(self._records, self._encoded, strict=True)
        ]

    @torch.no_grad()
    def figures(self, model: ProcessRewardModel, config: TrainConfig) -> Figures:
        """Measure a model that is being trained with `config`; it goes on in training mode."""
        model.eval()
        try:
            loss = mean_loss(model, self._examples, config, self._team)
            scored = self._scores(model)
        finally:
            model.train()
        if not self._records:
            return Figures(loss, None)
        records = [replace(record, split="held-out") for record in self._records]
        report = evaluation.evaluate(evaluation.predict(records, scored))
        return Figures(loss, report.mean_f1)

    def _scores(self, model: ProcessRewardModel) -> Sequence[Scored]:
        pairs = zip(self._encoded, self._flaws, strict=True)
        fitting = [item for item, flaw in pairs if not flaw]
        scores = iter(step_scores(model, fitting, self._config.max_tokens, self._team))
        return [Unscored(flaw) if flaw else next(scores) for flaw in self._flaws]


@dataclass(slots=True)
class Best:
    """The best held-out figure so far, at which step, and how many measurements ago."""

    value: float = -math.inf
    iteration: int = 0
    since: int = 0

    def take(self, value: float, iteration: int) -> bool:
        """Take a new figure; say whether it is the best. Equal is not better, no number worst."""
        value = -math.inf if math.isnan(value) else value
        if value > self.value or not self.iteration:
            self.value, self.iteration, self.since = value, iteration, 0
            return True
        self.since += 1
        return False
