"""Where step scores come from: a PRM's directory in memory, or a server."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence

from trainer import hub
from trainer.formats import CHECKPOINT, FORMATS, LOCAL_FORMATS, open_encoder, vllm_flags
from trainer.http import Endpoint
from trainer.scorers import Scored, ScoringError, Solution, StepScorer, score_each
from trainer.served import ServedScorer, served_model

PART = 512
"""Solutions that are scored before their scores are written."""


def source_options(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add the options of a command that scores steps."""
    option = parser.add_argument
    option("--model", required=required, help="PRM directory (RUN/model), or its name on the hub")
    option("--format", default=CHECKPOINT, choices=LOCAL_FORMATS, help="its input (%(default)s)")
    option("--device", default="auto", help="cpu, cuda or auto (%(default)s)")
    option("--dtype", default="float32", choices=("float32", "bfloat16"), help="of the weights")
    option("--max-tokens", type=int, default=4096, help="padded tokens at once (%(default)s)")
    option("--threads", type=int, default=1, help="CPU threads (%(default)s)")
    server_options(parser)


def server_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a server that scores instead; --model then names its tokenizer."""
    option = parser.add_argument
    option("--server", help="address of a vLLM server that serves --model")
    option("--api-key-env", help="environment variable with the server's key")
    option("--connections", type=int, default=4, help="requests at once (%(default)s)")
    option("--max-length", type=int, help="the server's context in tokens, if not the model's")


def open_scorer(arguments: argparse.Namespace) -> StepScorer:
    """Return what the options ask for: a model in memory, or a client of a server."""
    if arguments.server:
        return _served(arguments)
    from trainer.scoring import Scorer

    return Scorer(
        arguments.model,
        arguments.device,
        arguments.max_tokens,
        arguments.threads,
        arguments.format,
        arguments.dtype,
    )


def scored_in_parts(scorer: StepScorer, solutions: Sequence[Solution]) -> Iterator[Scored]:
    """Score solutions in order, some at a time, and show on a terminal how many are done."""
    show = counter(len(solutions))
    for begin in range(0, len(solutions), PART):
        part = solutions[begin : begin + PART]
        yield from score_each(scorer, part)
        show(begin + len(part))


def counter(total: int) -> Callable[[int], None]:
    """Return what counts on a terminal, and nowhere else."""
    if not sys.stderr.isatty():
        return lambda _: None
    return lambda done: _count(done, total)


def _count(done: int, total: int) -> None:
    sys.stderr.write(f"\r{done} of {total}" + ("\n" if done == total else ""))


def open_endpoint(arguments: argparse.Namespace) -> Endpoint:
    """Return the server of --server, with the key that the environment holds."""
    name = arguments.api_key_env
    if name and name not in os.environ:
        raise ScoringError(f"the environment has no {name}")
    return Endpoint(arguments.server, os.environ[name] if name else "")


def _served(arguments: argparse.Namespace) -> StepScorer:
    if arguments.format not in FORMATS:
        raise ScoringError(f"vLLM cannot serve the format {arguments.format!r}")
    endpoint = open_endpoint(arguments)
    folder = hub.directory(arguments.model, weights=False)
    encoder = open_encoder(arguments.format, folder, arguments.max_length)
    flags = vllm_flags(encoder, arguments.format)
    name = served_model(endpoint)
    return ServedScorer(endpoint, name, encoder, flags, arguments.connections)
