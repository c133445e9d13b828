"""Does a score of 0.8 mean that four steps of five are right?

Steps behind the first error have no true label and are left out, as in training.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from trainer.evaluation import Prediction

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Steps scored in [low, high): how many, their mean score, and the share that is right."""

    low: float
    high: float
    steps: int
    score: float | None
    right: float | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """The reliability curve, its expected calibration error, and the Brier score, over `steps`.

    ECE is the mean over steps of |mean score - share right| in the step's bin (arXiv 1706.04599);
    Brier the mean of (score - right)^2. Both are None where no step is labeled and scored.
    """

    steps: int
    ece: float | None
    brier: float | None
    bins: tuple[Bin, ...]


def calibrate(predictions: Sequence[Prediction], bins: int = BINS) -> Calibration:
    """Compare the scores of labeled steps with the truth, in bins of equal width; 1.0 is last."""
    steps = [step for prediction in predictions for step in labeled_steps(prediction)]
    groups: list[list[tuple[float, bool]]] = [[] for _ in range(bins)]
    for score, right in steps:
        groups[min(int(score * bins), bins - 1)].append((score, right))
    curve = tuple(_bin(group, place, bins) for place, group in enumerate(groups))
    if not steps:
        return Calibration(0, None, None, curve)
    gaps = [abs(sum(score - right for score, right in group)) for group in groups]
    brier = fmean((score - right) ** 2 for score, right in steps)
    return Calibration(len(steps), sum(gaps) / len(steps), brier, curve)


def labeled_steps(prediction: Prediction) -> Iterator[tuple[float, bool]]:
    """Yield (score, whether the step is right) up to the first error."""
    for place, score in enumerate(prediction.scores):
        if prediction.label == -1 or place < prediction.label:
            yield score, True
        elif place == prediction.label:
            yield score, False


def _bin(group: Sequence[tuple[float, bool]], place: int, bins: int) -> Bin:
    low, high = place / bins, (place + 1) / bins
    if not group:
        return Bin(low, high, 0, None, None)
    scores, rights = zip(*group, strict=True)
    return Bin(low, high, len(group), fmean(scores), fmean(rights))
