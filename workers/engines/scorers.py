"""What every process reward model does, wherever it runs: score the steps of many solutions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from trainer.encoding import Encoded, EncodingError
from trainer.formats import StepEncoder
from workers.engines.protocol import EngineRefused, EngineUnavailable

Solution = tuple[str, Sequence[str]]
"""A problem's statement and the steps of one solution."""


@dataclass(frozen=True, slots=True)
class StepScores:
    """One probability of right per step, and the tokens that the model read for them."""

    values: tuple[float, ...]
    tokens: int


class StepScorer(Protocol):
    """A process reward model. `calls` from as many threads at once keep it busy."""

    name: str
    calls: int

    def score_many(self, solutions: Sequence[Solution]) -> list[StepScores | EngineRefused]:
        """Return, in order, the scores of each solution or why it will never have any.

        Never a part of a solution's scores: one that is too long is refused. Raise
        EngineUnavailable where another try may succeed.
        """
        ...

    def close(self) -> None:
        """Release memory and connections; the scorer is of no use afterwards."""
        ...


Values = Sequence[float] | EngineRefused
"""One solution's step scores, or why there are none."""


def score_fitting(
    encoder: StepEncoder,
    solutions: Sequence[Solution],
    forward: Callable[[list[Encoded]], Sequence[Values]],
) -> list[StepScores | EngineRefused]:
    """Encode the solutions, let `forward` score those that fit, and put both in order again."""
    encoded = encoder.encode_many(solutions)
    flaws = [
        item.flaw(len(steps), encoder.max_length)
        for item, (_, steps) in zip(encoded, solutions, strict=True)
    ]
    fitting = [item for item, flaw in zip(encoded, flaws, strict=True) if not flaw]
    scored = iter(zip(fitting, forward(fitting) if fitting else (), strict=True))
    return [EngineRefused(flaw) if flaw else _scores(*next(scored)) for flaw in flaws]


def _scores(item: Encoded, values: Values) -> StepScores | EngineRefused:
    if isinstance(values, EngineRefused):
        return values
    return StepScores(tuple(values), len(item.ids))


class LocalScorer:
    """A model directory in this process's memory."""

    calls = 1

    def __init__(self, directory: str | Path, device: str = "auto") -> None:
        """Load the model; raise EngineUnavailable where there is none or no room for it."""
        self.name = f"local:{Path(directory).name}"
        self._model = _loaded(directory, device)

    def score_many(self, solutions: Sequence[Solution]) -> list[StepScores | EngineRefused]:
        """See StepScorer."""
        return score_fitting(self._model.encoder, solutions, self._forward)

    def close(self) -> None:
        """See StepScorer."""
        del self._model

    def _forward(self, encoded: list[Encoded]) -> list[list[float]]:
        import torch

        try:
            return self._model.score_encoded(encoded)
        except torch.OutOfMemoryError as error:
            raise EngineUnavailable(f"{self.name}: no memory: {error}", retry=False) from error


def _loaded(directory: str | Path, device: str) -> Any:
    import torch

    from trainer.model import ModelError
    from trainer.scoring import Scorer

    try:
        return Scorer(directory, device)
    except (ModelError, EncodingError, torch.OutOfMemoryError) as error:
        raise EngineUnavailable(f"cannot load {directory}: {error}", retry=False) from error
