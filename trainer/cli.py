"""The command line: parse, call, print. Bad input gives one sentence and exit code 2."""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trainer.records import read_jsonl

BAD_INPUT = 2

EPILOG = """\
A first round trip, with nothing but a file of records (format: trainer/records.py):
  python -m trainer init     --data train.jsonl --out backbone
  python -m trainer train    --data train.jsonl --backbone backbone --out run --lr 1e-3
  python -m trainer evaluate --data test.jsonl  --model run/model
  python -m trainer score    --data new.jsonl   --model run/model
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return 0, or 2 for input that cannot be used."""
    arguments = _parser().parse_args(argv)
    try:
        summary = arguments.command(arguments)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader (head, less) has enough; keep Python from failing on its final flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError) as error:
        if not _expected(error):
            raise
        sys.stderr.write(f"error: {error}\n")
        return BAD_INPUT
    if arguments.json:
        sys.stdout.write(json.dumps(summary) + "\n")
    return 0


def _expected(error: Exception) -> bool:
    """Say whether the input is to blame; a fault of ours keeps its traceback."""
    return isinstance(error, OSError) or type(error).__module__.startswith("trainer.")


def _train(arguments: argparse.Namespace) -> dict[str, Any]:
    from trainer import progress
    from trainer.config import TrainConfig
    from trainer.training import train

    names = TrainConfig.__dataclass_fields__
    config = TrainConfig(**{k: v for k, v in vars(arguments).items() if k in names})
    with warnings.catch_warnings(), progress.shown() as show:
        warnings.showwarning = _warn
        result = train(config, show)
    _say(
        f"{result.model}: {result.records} records, {sum(result.labels.values())} labels, "
        f"loss {result.final_loss:.4f}, {result.seconds:.0f} s"
    )
    row = {k: str(v) if isinstance(v, Path) else v for k, v in asdict(result).items()}
    row["final_loss"] = result.final_loss
    if arguments.evaluate:
        arguments.model, arguments.data = result.model, arguments.evaluate
        row["evaluation"] = _evaluate(arguments)
    return row


def _evaluate(arguments: argparse.Namespace) -> dict[str, Any]:
    from trainer import evaluation
    from trainer.scoring import Scorer

    records = list(read_jsonl(arguments.data))
    scorer = Scorer(arguments.model, arguments.device, threads=arguments.threads)
    predictions = evaluation.predict(scorer, records, arguments.threshold)
    if arguments.predictions:
        evaluation.write_predictions(arguments.predictions, predictions)
    report = evaluation.evaluate(predictions, arguments.threshold)
    tuned = evaluation.tune_threshold(predictions)
    _say("split                erroneous  correct   acc err   acc cor        F1")
    for name, row in report.splits.items():
        cells = [_percent(v) for v in (row.error_accuracy, row.correct_accuracy, row.f1)]
        _say(f"{name:20} {row.erroneous:9} {row.correct:8} {''.join(f'{c:>10}' for c in cells)}")
    _say(f"mean F1 {_percent(report.mean_f1)} at threshold {report.threshold}")
    if report.reason:
        _say(f"no mean: {report.reason}")
    _say(f"best threshold on this very data: {tuned.threshold:.2f}, F1 {_percent(tuned.mean_f1)}")
    summary = {**report.to_json(), "tuned": tuned.to_json()}
    if arguments.compare:
        others = evaluation.read_predictions(arguments.compare)
        comparison = evaluation.paired_bootstrap(predictions, others, arguments.seed)
        _say(
            f"F1 minus that of {arguments.compare}: {100 * comparison.difference:+.1f} "
            f"(95 %: {100 * comparison.low:+.1f} to {100 * comparison.high:+.1f})"
        )
        summary["comparison"] = asdict(comparison)
    return summary


def _score(arguments: argparse.Namespace) -> dict[str, Any]:
    from trainer.evaluation import first_error
    from trainer.scoring import Scorer, read_items

    items = list(read_items(arguments.data))
    scorer = Scorer(arguments.model, arguments.device, threads=arguments.threads)
    scores = scorer.score_many([(item.prompt, item.steps) for item in items])
    for item, values in zip(items, scores, strict=True):
        row = {"id": item.id, "scores": values, "first_error": first_error(values)}
        sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
    return {"solutions": len(items), "steps": sum(map(len, scores))}


def _init(arguments: argparse.Namespace) -> dict[str, Any]:
    from trainer.scratch import init

    path = init(
        arguments.data,
        arguments.out,
        arguments.vocab_size,
        arguments.seed,
        arguments.hidden,
        arguments.layers,
    )
    _say(f"{path}: random weights, a vocabulary from your texts; it knows nothing yet")
    return {"backbone": str(path)}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m trainer",
        description="Train, evaluate and use process reward models: models that score each step.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _train_options(_command(commands, "train", _train, "train a PRM on labeled steps"))
    evaluate = _command(commands, "evaluate", _evaluate, "find first errors, as ProcessBench does")
    _model_options(evaluate, "records with a first_error, JSONL")
    option = evaluate.add_argument
    _evaluation_options(evaluate)
    option("--seed", type=int, default=0, help="of the bootstrap (%(default)s)")
    score = _command(commands, "score", _score, "print the probability that each step is right")
    _model_options(score, 'lines like {"id": "a", "prompt": "1+1?", "steps": ["1+1=2"]}')
    _init_options(_command(commands, "init", _init, "make a small backbone with random weights"))
    return parser


def _command(commands: Any, name: str, run: Any, help_text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=help_text, description=f"{help_text[0].upper()}{help_text[1:]}."
    )
    parser.set_defaults(command=run)
    parser.add_argument("--json", action="store_true", help="end with one JSON line for machines")
    return parser


def _model_options(parser: argparse.ArgumentParser, data_help: str) -> None:
    parser.add_argument("--model", type=Path, required=True, help="PRM directory (RUN/model)")
    parser.add_argument("--data", type=Path, required=True, help=data_help)
    parser.add_argument("--device", default="auto", help="cpu, cuda or auto (%(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (%(default)s)")


def _evaluation_options(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("--threshold", type=float, default=0.5, help="a step below it is wrong (%(default)s)")
    option("--predictions", type=Path, help="write each solution's prediction here, JSONL")
    option("--compare", type=Path, help="another model's predictions on the same data")


def _train_options(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("--data", type=Path, required=True, help="training records, JSONL")
    option("--backbone", type=Path, required=True, help="causal model directory, or a PRM's")
    option("--out", type=Path, required=True, help="directory for the model, log and checkpoints")
    option("--objective", default="hard", help="hard: labels; soft: successes of n (%(default)s)")
    option("--lr", type=float, default=1e-5, help="top learning rate (%(default)s)")
    option("--batch-size", type=int, default=32, help="solutions per step (%(default)s)")
    option("--iterations", type=int, help="optimizer steps, instead of --epochs")
    option("--epochs", type=float, default=1.0, help="passes over the data (%(default)s)")
    option("--warmup", type=float, default=0.05, help="share of steps (%(default)s)")
    option("--weight-decay", type=float, default=0.01, help="of matrices (%(default)s)")
    option("--max-grad-norm", type=float, default=1.0, help="clip beyond it (%(default)s)")
    option("--seed", type=int, default=0, help="same seed, same losses (%(default)s)")
    option("--max-labels", type=int, help="train on at most so many labels")
    option("--max-dropped", type=float, default=0.01, help="share of labels that may be cut off")
    option("--max-tokens", type=int, default=1024, help="padded tokens at once (%(default)s)")
    option("--precision", default="fp32", help="fp32, bf16 or auto products (%(default)s)")
    option("--save-dtype", default="float32", help="float32 or bfloat16 (%(default)s)")
    option("--gradient-checkpointing", action="store_true", help="less memory, more time")
    option("--device", default="auto", help="cpu, cuda or auto (%(default)s)")
    option("--threads", type=int, default=1, help="CPU threads (%(default)s)")
    option("--checkpoint-every", type=int, default=100, help="steps, 0: never (%(default)s)")
    option("--resume", action="store_true", help="go on from the last checkpoint in --out")
    option("--evaluate", type=Path, help="held-out records to evaluate the finished PRM on")
    _evaluation_options(parser)


def _init_options(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("--data", type=Path, required=True, nargs="+", help="records whose texts to learn from")
    option("--out", type=Path, required=True, help="directory of the new backbone")
    option("--vocab-size", type=int, default=4096, help="tokens (%(default)s)")
    option("--seed", type=int, default=0, help="of the weights (%(default)s)")
    option("--hidden", type=int, default=128, help="width (%(default)s)")
    option("--layers", type=int, default=4, help="depth (%(default)s)")


def _percent(share: float | None) -> str:
    return "undefined" if share is None else f"{100 * share:.1f} %"


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


def _warn(message: Any, *_: Any, **__: Any) -> None:
    sys.stderr.write(f"warning: {message}\n")
