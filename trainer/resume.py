"""The state from which a killed run goes on, written so that a kill leaves the old or the new."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from trainer import folders
from trainer.config import TrainError
from trainer.held_out import Best
from trainer.model import ProcessRewardModel
from trainer.team import Team

BEST = "best-{}.pt"


@dataclass(slots=True)
class RunState:
    """All that the next optimizer step depends on."""

    model: ProcessRewardModel
    optimizer: torch.optim.Optimizer
    identity: dict[str, object]
    team: Team
    iteration: int = 0
    labels_seen: int = 0
    seconds: float = 0.0
    best: Best = field(default_factory=Best)
    named: int = 0
    """The best iteration that the checkpoint on disk names."""

    def save(self, path: Path) -> None:
        """Write atomically: a reader or a kill at any moment finds a whole state."""
        self.team.save(path, self._numbers(), self.model, self.optimizer)
        self.named = self.best.iteration

    def keep_best(self, folder: Path) -> None:
        """Write the weights of this step beside those that the checkpoint on disk still names."""
        self.team.save(self._best_file(folder), {}, self.model)
        self.drop_others(folder)

    def drop_others(self, folder: Path) -> None:
        """Remove kept weights that are neither the best nor named by the checkpoint on disk."""
        kept = {BEST.format(self.best.iteration), BEST.format(self.named)}
        for file in folder.glob(BEST.format("*")) if self.team.rank == 0 else ():
            if file.name not in kept:
                folders.remove(file)

    def load_best(self, folder: Path) -> None:
        """Take over the best weights; nothing but writing them follows."""
        self.team.load(self._best_file(folder), self.model)

    def load(self, path: Path) -> None:
        """Take over a saved state; raise `TrainError` where it belongs to another run."""
        self._check_kind(path)
        rows = self.team.numbers(path)
        changed = [k for k, v in self.identity.items() if rows["identity"].get(k) != v]
        if changed:
            raise TrainError(f"cannot resume from {path}: {', '.join(changed)} changed since")
        self.team.load(path, self.model, self.optimizer)
        torch.set_rng_state(rows["random"])
        if rows["random_gpu"]:
            torch.cuda.set_rng_state_all(rows["random_gpu"])
        self.iteration = rows["iteration"]
        self.labels_seen = rows["labels_seen"]
        self.seconds = rows["seconds"]
        self.best = Best(**rows["best"])
        self.named = self.best.iteration

    def _check_kind(self, path: Path) -> None:
        """Raise `TrainError` for a file where processes have parts, and for parts where one is."""
        alone = self.team.device is None
        if path.is_dir() == alone:
            wrote, now = ("several processes", "one") if alone else ("one process", "several")
            raise TrainError(f"cannot resume from {path}: {wrote} wrote it, {now} would go on")

    def _best_file(self, folder: Path) -> Path:
        return folder / BEST.format(self.best.iteration)

    def _numbers(self) -> dict[str, Any]:
        return {
            "identity": self.identity,
            "random": torch.get_rng_state(),
            "random_gpu": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
            "iteration": self.iteration,
            "labels_seen": self.labels_seen,
            "seconds": self.seconds,
            "best": asdict(self.best),
        }
