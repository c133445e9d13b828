"""`evaluate`."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from trainer.cli.options import command, evaluation_options, model_options, percent, say
from trainer.records import read_jsonl


def register(commands: Any) -> None:
    """Add the commands."""
    evaluate = command(
        commands, "evaluate", run_evaluation, "find first errors, as ProcessBench does"
    )
    model_options(evaluate, "records with a first_error, JSONL")
    evaluation_options(evaluate)
    evaluate.add_argument("--seed", type=int, default=0, help="of the bootstrap (%(default)s)")


def run_evaluation(arguments: argparse.Namespace) -> dict[str, Any]:
    """Evaluate one PRM on labeled solutions."""
    from trainer import evaluation
    from trainer.scoring import Scorer

    records = list(read_jsonl(arguments.data))
    scorer = Scorer(arguments.model, arguments.device, threads=arguments.threads)
    predictions = evaluation.predict(scorer, records, arguments.threshold)
    if arguments.predictions:
        evaluation.write_predictions(arguments.predictions, predictions)
    report = evaluation.evaluate(predictions, arguments.threshold)
    tuned = evaluation.tune_threshold(predictions)
    say("split                erroneous  correct   acc err   acc cor        F1")
    for name, row in report.splits.items():
        cells = [percent(v) for v in (row.error_accuracy, row.correct_accuracy, row.f1)]
        say(f"{name:20} {row.erroneous:9} {row.correct:8} {''.join(f'{c:>10}' for c in cells)}")
    say(f"mean F1 {percent(report.mean_f1)} at threshold {report.threshold}")
    if report.reason:
        say(f"no mean: {report.reason}")
    say(f"best threshold on this very data: {tuned.threshold:.2f}, F1 {percent(tuned.mean_f1)}")
    summary = {**report.to_json(), "tuned": tuned.to_json()}
    if arguments.compare:
        others = evaluation.read_predictions(arguments.compare)
        comparison = evaluation.paired_bootstrap(predictions, others, arguments.seed)
        say(
            f"F1 minus that of {arguments.compare}: {100 * comparison.difference:+.1f} "
            f"(95 %: {100 * comparison.low:+.1f} to {100 * comparison.high:+.1f})"
        )
        summary["comparison"] = asdict(comparison)
    return summary
