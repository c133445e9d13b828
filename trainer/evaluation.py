"""ProcessBench: does a PRM find the first wrong step, and nothing in right solutions?

Definition: arXiv 2412.06559 3.1 and its code/run_eval.py. Accuracy on erroneous solutions and on
right ones is exact agreement on the first error; F1 is their harmonic mean; the headline is the
unweighted mean over the splits.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean

import numpy as np

from trainer.records import Record
from trainer.scorers import Scored, Unscored

THRESHOLD = 0.5  # the argmax of two logits; never tuned on the benchmark for the headline


class EvaluationError(ValueError):
    """Predictions or records that cannot be evaluated; the text says why."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """One solution: its true first error, the predicted one, and the step scores behind it.

    `prediction` is None where the model gave none (`reason`): that is wrong, as in the paper.
    """

    id: str
    split: str
    label: int
    prediction: int | None
    scores: tuple[float, ...]
    final_answer_correct: bool | None = None
    reason: str = ""

    @property
    def hit(self) -> bool:
        """Whether the first error was predicted exactly."""
        return self.label == self.prediction


@dataclass(frozen=True, slots=True)
class SplitResult:
    """Counts, accuracies and F1 of one split; None, with the reason, where undefined."""

    erroneous: int
    correct: int
    error_accuracy: float | None
    correct_accuracy: float | None
    f1: float | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Results by split and their unweighted mean F1 at one threshold."""

    threshold: float
    splits: Mapping[str, SplitResult]
    mean_f1: float | None
    reason: str | None = None

    def to_json(self) -> dict[str, object]:
        """Return the report as JSON can hold it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Comparison:
    """F1 of a minus F1 of b, its 95 % bootstrap interval, and the share of draws at or below 0."""

    difference: float
    low: float
    high: float
    share_not_better: float
    draws: int


def first_error(scores: Sequence[float], threshold: float = THRESHOLD) -> int:
    """Return the 0-based index of the first step scored below the threshold, -1 where none is."""
    return next((index for index, score in enumerate(scores) if score < threshold), -1)


def predict(
    records: Sequence[Record], scored: Sequence[Scored], threshold: float = THRESHOLD
) -> list[Prediction]:
    """Predict each first error from the scores of its steps; records must know their own."""
    return [_prediction(r, s, threshold) for r, s in zip(records, scored, strict=True)]


def rethreshold(predictions: Iterable[Prediction], threshold: float) -> list[Prediction]:
    """Return the same solutions predicted at another threshold; those without scores stay."""
    return [
        replace(p, prediction=first_error(p.scores, threshold)) if p.scores else p
        for p in predictions
    ]


def evaluate(predictions: Sequence[Prediction], threshold: float = THRESHOLD) -> Report:
    """Compute ProcessBench's metric for predictions made at `threshold`."""
    splits = {
        name: split_result([p for p in predictions if p.split == name])
        for name in sorted({p.split for p in predictions})
    }
    undefined = [name for name, result in splits.items() if result.f1 is None]
    if undefined or not splits:
        reason = f"no F1 for {', '.join(undefined)}" if undefined else "no solutions"
        return Report(threshold, splits, None, reason)
    return Report(threshold, splits, fmean(r.f1 for r in splits.values() if r.f1 is not None))


def split_result(predictions: Sequence[Prediction]) -> SplitResult:
    """Compute one split's accuracies and F1 (0 where both are 0, None where a class is empty)."""
    wrong = [p.hit for p in predictions if p.label != -1]
    right = [p.hit for p in predictions if p.label == -1]
    error_accuracy = fmean(wrong) if wrong else None
    correct_accuracy = fmean(right) if right else None
    if error_accuracy is None or correct_accuracy is None:
        reason = "no erroneous solutions" if error_accuracy is None else "no correct solutions"
        return SplitResult(len(wrong), len(right), error_accuracy, correct_accuracy, None, reason)
    f1 = harmonic_mean(error_accuracy, correct_accuracy)
    return SplitResult(len(wrong), len(right), error_accuracy, correct_accuracy, f1)


def harmonic_mean(a: float, b: float) -> float:
    """Return 2ab / (a + b), 0 where both are 0."""
    return 2 * a * b / (a + b) if a + b else 0.0


def sweep(predictions: Sequence[Prediction], steps: int = 20) -> list[Report]:
    """Return a report for each threshold 1/steps, 2/steps, ..."""
    grid = [index / steps for index in range(1, steps)]
    return [evaluate(rethreshold(predictions, value), value) for value in grid]


def tune_threshold(
    predictions: Sequence[Prediction], on: str | None = None, steps: int = 20
) -> Report:
    """Return the report at the threshold that is best on split `on`; the lowest wins a tie.

    ProcessBench tunes PRMs that give scalars on its GSM8K split (its 4.1). Optimistic where `on` is
    None, all the splits at once: show it apart from the headline.
    """
    basis = [p for p in predictions if on is None or p.split == on]
    if not basis:
        raise EvaluationError(f"there is no split {on!r} to tune the threshold on")
    best = max(sweep(basis, steps), key=lambda report: report.mean_f1 or 0.0)
    return evaluate(rethreshold(predictions, best.threshold), best.threshold)


def paired_bootstrap(
    a: Sequence[Prediction], b: Sequence[Prediction], seed: int = 0, draws: int = 10_000
) -> Comparison:
    """Compare mean F1 on the same solutions, resampled in pairs within each split and class.

    Only whether a and b hit matters, so a resample of a class is one multinomial draw over the four
    joint outcomes: the same distribution as drawing solutions, at the cost of four numbers.
    """
    mine = {(p.split, p.id): p for p in a}
    theirs = {(p.split, p.id): p for p in b}
    if mine.keys() != theirs.keys() or any(mine[k].label != theirs[k].label for k in mine):
        raise EvaluationError("the two sets of predictions are not about the same solutions")
    observed, other = evaluate(a), evaluate(b)
    if observed.mean_f1 is None or other.mean_f1 is None:
        raise EvaluationError(f"nothing to compare: {observed.reason}")
    random = np.random.default_rng(seed)
    differences = np.zeros(draws)
    for split in observed.splits:
        keys = sorted(key for key in mine if key[0] == split)
        wrong = _resample(
            [(mine[k].hit, theirs[k].hit) for k in keys if mine[k].label != -1], random, draws
        )
        right = _resample(
            [(mine[k].hit, theirs[k].hit) for k in keys if mine[k].label == -1], random, draws
        )
        f1 = _harmonic_means(wrong, right)
        differences += (f1[:, 0] - f1[:, 1]) / len(observed.splits)
    low, high = np.quantile(differences, [0.025, 0.975])
    return Comparison(
        difference=observed.mean_f1 - other.mean_f1,
        low=float(low),
        high=float(high),
        share_not_better=float(np.mean(differences <= 0)),
        draws=draws,
    )


def write_predictions(path: str | Path, predictions: Iterable[Prediction]) -> None:
    """Write one JSON line per solution."""
    with open(path, "w", encoding="utf-8") as out:
        out.writelines(map(line, predictions))


def line(prediction: Prediction) -> str:
    """Return a prediction as a line of JSON."""
    return json.dumps(asdict(prediction), ensure_ascii=False) + "\n"


def read_predictions(path: str | Path) -> list[Prediction]:
    """Read what `write_predictions` wrote; raise `EvaluationError` with file and line."""
    predictions = []
    with open(path, encoding="utf-8") as lines:
        for number, text in enumerate(lines, start=1):
            try:
                row = json.loads(text)
                predictions.append(Prediction(**{**row, "scores": tuple(row["scores"])}))
            except (ValueError, TypeError, KeyError) as error:
                raise EvaluationError(f"{path}:{number}: no prediction: {error}") from error
    return predictions


def _prediction(record: Record, scored: Scored, threshold: float) -> Prediction:
    if record.first_error is None:
        raise EvaluationError(f"record {record.id!r} has no first_error to evaluate against")
    correct = record.final_answer_correct
    if isinstance(scored, Unscored):
        return Prediction(
            record.id, record.split, record.first_error, None, (), correct, scored.reason
        )
    found = first_error(scored, threshold)
    return Prediction(record.id, record.split, record.first_error, found, tuple(scored), correct)


def _resample(hits: list[tuple[bool, bool]], random: np.random.Generator, draws: int) -> np.ndarray:
    """Return bootstrap accuracies (draws, 2) of two models over one class."""
    outcomes = [(1, 1), (1, 0), (0, 1), (0, 0)]
    shares = [sum(pair == outcome for pair in hits) / len(hits) for outcome in outcomes]
    counts = random.multinomial(len(hits), shares, size=draws)
    return counts @ np.array(outcomes) / len(hits)


def _harmonic_means(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    total = a + b
    return np.divide(2 * a * b, total, out=np.zeros_like(total), where=total > 0)
