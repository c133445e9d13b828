"""Score the steps of solutions with a trained PRM."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from trainer import checkpoints
from trainer.batching import Example, form, split
from trainer.encoding import Encoded
from trainer.formats import CHECKPOINT, StepEncoder
from trainer.model import ProcessRewardModel
from trainer.scorers import Solution, score_all
from trainer.team import ALONE, Team, deal


class Scorer:
    """Hold one PRM in memory and give each step's probability of being right."""

    def __init__(
        self,
        path: str | Path,
        device: str = "auto",
        max_tokens: int = 4096,
        threads: int | None = None,
        form: str = CHECKPOINT,
        dtype: str = "float32",
    ) -> None:
        """Load the PRM directory at `path`, whose input format is `form` (see trainer.formats).

        `max_tokens` bounds the padded tokens of a batch; `threads` sets torch's CPU threads for
        the whole process (None: leave them); `dtype` is what the weights are kept in.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        self.encoder: StepEncoder
        if form == CHECKPOINT:
            model, self.encoder = checkpoints.load(path)
        else:
            model, self.encoder = checkpoints.load_published(path, form)
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model = model.to(device, getattr(torch, dtype)).eval()
        self.max_tokens = max_tokens

    def score(self, prompt: str, steps: Sequence[str]) -> list[float]:
        """Return one probability of right per step."""
        return self.score_many([(prompt, steps)])[0]

    def score_many(self, items: Sequence[Solution]) -> list[list[float]]:
        """Return, in the order of the (prompt, steps) items, one probability per step.

        Raise `ScoringError` for an item without steps or longer than the model's context: no step
        is dropped silently.
        """
        return score_all(self, items)

    def score_encoded(self, encoded: Sequence[Encoded]) -> list[list[float]]:
        """Return one probability per step token of each encoded solution."""
        with torch.inference_mode():
            return step_scores(self.model, encoded, self.max_tokens)


def step_scores(
    model: ProcessRewardModel,
    encoded: Sequence[Encoded],
    max_tokens: int,
    team: Team = ALONE,
) -> list[list[float]]:
    """Return one probability of right per step token of each encoded solution."""
    scores: dict[int, list[float]] = {}
    groups = split([len(item.ids) for item in encoded], max_tokens, model.packs)
    for chosen, _ in deal(team, groups):
        items = [encoded[index] for index in chosen]
        examples = [Example(e.ids, e.positions, [0.0] * len(e.positions)) for e in items]
        batch = form(examples, model.packs)
        batch = batch.to(model.device)
        logits = model(batch.ids, batch.rows, batch.columns, batch.packing)
        right = logits.float().softmax(dim=-1)[:, 1].cpu()
        for index, values in zip(
            chosen, right.split([len(e.positions) for e in items]), strict=True
        ):
            scores[index] = values.tolist()
    for part in team.gather(scores):
        scores |= part
    return [scores[index] for index in range(len(encoded))]
