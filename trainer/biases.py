"""Does a PRM judge the process, or only the answer? Two checks of arXiv 2501.07301."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from trainer.evaluation import Prediction


@dataclass(frozen=True, slots=True)
class FlawedSplit:
    """Right answers with a wrong step: how many, and what share of them was seen through.

    `located`: the first error is predicted exactly; `detected`: any error is predicted.
    """

    solutions: int
    located: float
    detected: float


@dataclass(frozen=True, slots=True)
class Flawed:
    """Flawed-process detection by split, and the unweighted means over the splits that have any."""

    splits: Mapping[str, FlawedSplit]
    located: float | None
    detected: float | None


def flawed_processes(predictions: Sequence[Prediction]) -> Flawed:
    """Measure what becomes of solutions with a right answer and a wrong step (Table 5)."""
    flawed = [p for p in predictions if p.final_answer_correct and p.label != -1]
    splits = {
        name: _flawed_split([p for p in flawed if p.split == name])
        for name in sorted({p.split for p in flawed})
    }
    if not splits:
        return Flawed(splits, None, None)
    return Flawed(
        splits,
        fmean(split.located for split in splits.values()),
        fmean(split.detected for split in splits.values()),
    )


def minimum_at_last_step(scores: Sequence[Sequence[float]]) -> float | None:
    """Return the share of solutions whose lowest score is the last step's (Fig. 8).

    Near an outcome model's share, a PRM judges answers rather than steps; a tie with an earlier
    step counts for the earlier one, and solutions without scores do not count.
    """
    scored = [s for s in scores if s]
    if not scored:
        return None
    return fmean(min(range(len(s)), key=s.__getitem__) == len(s) - 1 for s in scored)


def _flawed_split(predictions: Sequence[Prediction]) -> FlawedSplit:
    located = fmean(p.hit for p in predictions)
    detected = fmean(p.prediction not in (None, -1) for p in predictions)
    return FlawedSplit(len(predictions), located, detected)
