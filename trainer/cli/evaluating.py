"""`evaluate` and `compare`: first errors, found and compared."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trainer import biases, calibration, evaluation, plots
from trainer.biases import Flawed
from trainer.cli.options import command, evaluation_options, percent, say
from trainer.cli.sources import open_scorer, scored_in_parts, source_options
from trainer.evaluation import EvaluationError, Prediction, Report
from trainer.first_errors import Benchmark, read_benchmark
from trainer.scorers import StepScorer

DATA_HELP = "records with a first_error, or ProcessBench's files; a file is a split"


def register(commands: Any) -> None:
    """Add the commands."""
    evaluate = command(commands, "evaluate", _evaluate, "find first errors, as ProcessBench does")
    source_options(evaluate)
    evaluate.add_argument("--data", type=Path, required=True, nargs="+", help=DATA_HELP)
    evaluation_options(evaluate)
    evaluate.add_argument("--seed", type=int, default=0, help="of the bootstrap (%(default)s)")
    evaluate.add_argument("--card", action="store_true", help="write the figures into its card")
    compare = command(commands, "compare", _compare, "compare two models on the same solutions")
    compare.add_argument("predictions", type=Path, help="predictions of the one model")
    compare.add_argument("others", type=Path, help="predictions of the other")
    compare.add_argument("--seed", type=int, default=0, help="of the bootstrap (%(default)s)")


def _evaluate(arguments: argparse.Namespace) -> dict[str, Any]:
    benchmark = read_benchmark(arguments.data)  # a bad row shows before the model is loaded
    report = evaluate_on(benchmark, open_scorer(arguments), arguments)
    if arguments.card:
        from trainer import cards

        cards.add_evaluation(Path(arguments.model), report, arguments.data)
    return report


def evaluate_on(
    benchmark: Benchmark, scorer: StepScorer, arguments: argparse.Namespace
) -> dict[str, Any]:
    """Evaluate one PRM on labeled solutions, as the evaluation's options ask."""
    if arguments.tune_on not in (None, *(record.split for record in benchmark.records)):
        raise EvaluationError(f"there is no split {arguments.tune_on!r} to tune the threshold on")
    if benchmark.unlabeled:
        say(f"left out: {benchmark.unlabeled} solutions without a known first error")
    solutions = [(record.prompt, record.steps) for record in benchmark.records]
    scored = list(scored_in_parts(scorer, solutions))
    predictions = evaluation.predict(benchmark.records, scored, arguments.threshold)
    return {**report_on(predictions, arguments), "unlabeled": benchmark.unlabeled}


def report_on(predictions: Sequence[Prediction], arguments: argparse.Namespace) -> dict[str, Any]:
    """Save, measure, draw and print predictions; return the report for machines."""
    if arguments.predictions:
        evaluation.write_predictions(arguments.predictions, predictions)
    report = evaluation.evaluate(predictions, arguments.threshold)
    _say_report(report)
    summary = report.to_json() | {"unscored": _say_unscored(predictions)}
    flawed = biases.flawed_processes(predictions)
    _say_flawed(flawed)
    summary["flawed"] = asdict(flawed)
    if any(prediction.scores for prediction in predictions):
        summary |= _scores_report(predictions, arguments)
    if arguments.compare:
        others = evaluation.read_predictions(arguments.compare)
        summary["comparison"] = _say_comparison(
            predictions, others, arguments.seed, arguments.compare
        )
    return summary


def _scores_report(
    predictions: Sequence[Prediction], arguments: argparse.Namespace
) -> dict[str, Any]:
    """Report on what only a model with step scores has."""
    tuned = evaluation.tune_threshold(predictions, arguments.tune_on)
    place = f"on {arguments.tune_on}" if arguments.tune_on else "on this very data"
    say(f"best threshold {place}: {tuned.threshold:.2f}, F1 {percent(tuned.mean_f1)}")
    curve = calibration.calibrate(predictions)
    if curve.ece is not None:
        say(f"calibration over {curve.steps} steps: ECE {curve.ece:.3f}, Brier {curve.brier:.3f}")
    last = biases.minimum_at_last_step([prediction.scores for prediction in predictions])
    say(f"lowest score at the last step: {percent(last)} of the solutions")
    if arguments.plots:
        plots.write(arguments.plots / "reliability.svg", plots.reliability(curve))
        plots.write(
            arguments.plots / "thresholds.svg", plots.thresholds(evaluation.sweep(predictions))
        )
    return {
        "tuned": tuned.to_json(),
        "calibration": asdict(curve),
        "minimum_at_last_step": last,
    }


def _compare(arguments: argparse.Namespace) -> dict[str, Any]:
    mine = evaluation.read_predictions(arguments.predictions)
    others = evaluation.read_predictions(arguments.others)
    return _say_comparison(mine, others, arguments.seed, arguments.others)


def _say_comparison(
    mine: Sequence[Prediction], others: Sequence[Prediction], seed: int, name: Path
) -> dict[str, Any]:
    comparison = evaluation.paired_bootstrap(mine, others, seed)
    say(
        f"F1 minus that of {name}: {100 * comparison.difference:+.1f} "
        f"(95 %: {100 * comparison.low:+.1f} to {100 * comparison.high:+.1f})"
    )
    return asdict(comparison)


def _say_report(report: Report) -> None:
    wide = max(map(len, ("split", *report.splits)))
    say(f"{'split':{wide}} erroneous  correct   acc err   acc cor        F1")
    for name, row in report.splits.items():
        cells = [percent(v) for v in (row.error_accuracy, row.correct_accuracy, row.f1)]
        say(f"{name:{wide}} {row.erroneous:9} {row.correct:8} {''.join(f'{c:>10}' for c in cells)}")
    say(f"mean F1 {percent(report.mean_f1)} at threshold {report.threshold}")
    if report.reason:
        say(f"no mean: {report.reason}")


def _say_unscored(predictions: Sequence[Prediction]) -> int:
    """Name the first solution without a prediction; they count as wrong."""
    without = [prediction for prediction in predictions if prediction.prediction is None]
    if without:
        first = without[0]
        say(f"no prediction, counted as wrong: {len(without)} ({first.id}: {first.reason})")
    return len(without)


def _say_flawed(flawed: Flawed) -> None:
    if flawed.splits:
        solutions = sum(split.solutions for split in flawed.splits.values())
        say(
            f"right answer, wrong step ({solutions}): located in {percent(flawed.located)}, "
            f"seen in {percent(flawed.detected)} (means of the splits)"
        )
