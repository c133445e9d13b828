"""`critic`: an LLM in the place of a PRM."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trainer import evaluation, score_file
from trainer.cli.evaluating import DATA_HELP, report_on
from trainer.cli.options import command, evaluation_options, say
from trainer.cli.sources import counter, open_endpoint
from trainer.critics import Critic
from trainer.evaluation import Prediction
from trainer.first_errors import read_benchmark
from trainer.items import Item
from trainer.records import Record
from trainer.scorers import ScoringError
from trainer.served import served_model


def register(commands: Any) -> None:
    """Add the command."""
    critic = command(commands, "critic", _critic, "let an LLM find first errors, and evaluate it")
    option = critic.add_argument
    option("--server", required=True, help="address of an OpenAI-compatible server")
    option("--served-model", help="name of the model there (the first that it serves)")
    option("--api-key-env", help="environment variable with the server's key")
    option("--data", type=Path, required=True, nargs="+", help=DATA_HELP)
    option(
        "--votes", type=int, default=1, help="replies per solution; most votes win (%(default)s)"
    )
    option("--temperature", type=float, help="0 for one vote, 1 for several")
    option("--top-p", type=float, help="1 for one vote, 0.9 for several")
    option("--max-tokens", type=int, default=8192, help="of a reply (%(default)s)")
    option("--connections", type=int, default=8, help="requests at once (%(default)s)")
    option("--seed", type=int, default=42, help="of replies and bootstrap (%(default)s)")
    resume_help = "keep the lines that a killed run wrote to --predictions, and go on behind them"
    option("--resume", action="store_true", help=resume_help)
    evaluation_options(critic)


def _critic(arguments: argparse.Namespace) -> dict[str, Any]:
    benchmark = read_benchmark(arguments.data)
    endpoint, many = open_endpoint(arguments), arguments.votes > 1
    critic = Critic(
        endpoint=endpoint,
        model=arguments.served_model or served_model(endpoint),
        votes=arguments.votes,
        temperature=_chosen(arguments.temperature, 1.0 if many else 0.0),
        top_p=_chosen(arguments.top_p, 0.9 if many else 1.0),
        max_tokens=arguments.max_tokens,
        seed=arguments.seed,
        connections=arguments.connections,
    )
    predictions = _predictions(critic, benchmark.records, arguments)
    say(f"{critic.model}, maj@{critic.votes}")
    return {
        "critic": critic.model,
        "votes": critic.votes,
        **report_on(predictions, arguments),
        "unlabeled": benchmark.unlabeled,
    }


def _predictions(
    critic: Critic, records: Sequence[Record], arguments: argparse.Namespace
) -> list[Prediction]:
    """Return the critic's predictions; each is written as it comes, where a file is asked for."""
    path: Path | None = arguments.predictions
    if path is None and arguments.resume:
        raise ScoringError("--resume needs --predictions: what it is to go on with")
    found = _kept(path, critic, records) if path and arguments.resume else []
    if path and not found:
        score_file.begin(path, _of(critic, records))
    show = counter(len(records))
    with open(path or os.devnull, "a", encoding="utf-8", buffering=1) as out:
        for prediction in critic.predict(records[len(found) :]):
            out.write(evaluation.line(prediction))
            found.append(prediction)
            show(len(found))
    return found


def _kept(path: Path, critic: Critic, records: Sequence[Record]) -> list[Prediction]:
    """Return what a killed run wrote of the first records; raise where it is not of them."""
    if not path.is_file() or not path.stat().st_size:
        return []
    score_file.whole_lines(path, _of(critic, records))
    found = evaluation.read_predictions(path)
    pairs = zip(found, records, strict=False)
    if len(found) > len(records) or any((p.split, p.id) != (r.split, r.id) for p, r in pairs):
        raise ScoringError(f"{path} is not about these solutions in this order")
    return found


def _of(critic: Critic, records: Sequence[Record]) -> dict[str, str]:
    """Return what predictions depend on."""
    asked = {k: v for k, v in asdict(critic).items() if k not in ("endpoint", "connections")}
    items = [Item(f"{r.split} {r.id} {r.first_error}", r.prompt, r.steps) for r in records]
    return {"solutions": score_file.items_sha256(items), "critic": json.dumps(asked)}


def _chosen(value: float | None, default: float) -> float:
    return default if value is None else value
