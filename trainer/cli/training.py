"""`train` and `init`."""

from __future__ import annotations

import argparse
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trainer.cli.evaluating import evaluate_on
from trainer.cli.options import command, evaluation_options, say, warn
from trainer.first_errors import read_benchmark


def register(commands: Any) -> None:
    """Add the commands."""
    _train_options(command(commands, "train", _train, "train a PRM on labeled steps"))
    _init_options(command(commands, "init", _init, "make a small backbone with random weights"))


def _train(arguments: argparse.Namespace) -> dict[str, Any]:
    from trainer import progress
    from trainer.config import TrainConfig
    from trainer.team import is_first
    from trainer.training import train

    names = TrainConfig.__dataclass_fields__
    config = TrainConfig(**{k: v for k, v in vars(arguments).items() if k in names})
    with warnings.catch_warnings(), progress.shown() as show:
        warnings.showwarning = warn
        result = train(config, show, lambda plan: say(str(plan)))
    if not is_first():
        return {}
    say(
        f"{result.model}: {result.records} records, {sum(result.labels.values())} labels, "
        f"loss {result.final_loss:.4f}, {result.seconds:.0f} s"
    )
    row = {k: str(v) if isinstance(v, Path) else v for k, v in asdict(result).items()}
    row["final_loss"] = result.final_loss
    if arguments.evaluate:
        from trainer import cards
        from trainer.scoring import Scorer

        scorer = Scorer(result.model, arguments.device, threads=arguments.threads)
        report = evaluate_on(read_benchmark([arguments.evaluate]), scorer, arguments)
        cards.add_evaluation(result.model, report, [arguments.evaluate])
        row["evaluation"] = report
    return row


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
    say(f"{path}: random weights, a vocabulary from your texts; it knows nothing yet")
    return {"backbone": str(path)}


def _train_options(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("--data", type=Path, required=True, help="training records, JSONL")
    option("--backbone", type=Path, required=True, help="causal model directory, or a PRM's")
    option("--out", type=Path, required=True, help="directory for the model, log and checkpoints")
    option("--objective", default="hard", help="hard: labels; soft, beta: k of n (%(default)s)")
    option("--neutral", default="label", help="neutral steps: label, right, wrong, none")
    option("--after-error", action="store_true", help="also labels after a first wrong step")
    option("--wrong-weight", type=float, default=1.0, help="of a wrong label (%(default)s)")
    option("--balanced", action="store_true", help="weigh wrong labels as all right ones together")
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
    option("--max-tokens", type=int, default=1024, help="tokens of a batch (%(default)s)")
    option("--no-packing", dest="packing", action="store_false", help="pad instead of packing")
    option("--precision", default="fp32", help="fp32, bf16 or auto products (%(default)s)")
    option("--save-dtype", default="float32", help="float32 or bfloat16 (%(default)s)")
    option("--gradient-checkpointing", action="store_true", help="less memory, more time")
    option(
        "--compile", action="store_true", help="torch.compile of the layers; see docs/trainer.md"
    )
    option("--lora", type=int, default=0, help="rank of adapters (0: train all weights)")
    option("--lora-alpha", type=int, default=0, help="their scale times the rank (0: twice it)")
    option("--device", default="auto", help="cpu, cuda or auto (%(default)s)")
    option("--threads", type=int, default=1, help="CPU threads (%(default)s)")
    option("--no-memory-check", dest="memory_check", action="store_false", help="try anyway")
    option("--checkpoint-every", type=int, default=100, help="steps, 0: never (%(default)s)")
    option("--held-out", type=Path, help="records to measure on while training; the best is kept")
    option("--evaluate-every", type=int, default=0, help="steps (0: a tenth of the run)")
    option("--patience", type=int, default=0, help="measurements without gain (0: never stop)")
    option("--watch", default="loss", help="loss or f1 of first errors, held out (%(default)s)")
    option("--log", nargs="*", default=(), help="tensorboard, wandb: besides train_log.jsonl")
    option("--resume", action="store_true", help="go on from the last checkpoint in --out")
    option("--evaluate", type=Path, help="held-out records to evaluate the finished PRM on")
    evaluation_options(parser)


def _init_options(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("--data", type=Path, required=True, nargs="+", help="records whose texts to learn from")
    option("--out", type=Path, required=True, help="directory of the new backbone")
    option("--vocab-size", type=int, default=4096, help="tokens (%(default)s)")
    option("--seed", type=int, default=0, help="of the weights (%(default)s)")
    option("--hidden", type=int, default=128, help="width (%(default)s)")
    option("--layers", type=int, default=4, help="depth (%(default)s)")
