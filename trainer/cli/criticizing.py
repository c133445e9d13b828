"""`critic`: an LLM in the place of a PRM."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from trainer.cli.evaluating import DATA_HELP, report_on
from trainer.cli.options import command, evaluation_options, say
from trainer.cli.sources import counter, open_endpoint
from trainer.critics import Critic
from trainer.first_errors import read_benchmark
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
    predictions = critic.predict(benchmark.records, counter(len(benchmark.records)))
    say(f"{critic.model}, maj@{critic.votes}")
    return {
        "critic": critic.model,
        "votes": critic.votes,
        **report_on(predictions, arguments),
        "unlabeled": benchmark.unlabeled,
    }


def _chosen(value: float | None, default: float) -> float:
    return default if value is None else value
