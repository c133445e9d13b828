"""`score`."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from trainer.cli.options import command, model_options


def register(commands: Any) -> None:
    """Add the commands."""
    score = command(commands, "score", _score, "print the probability that each step is right")
    model_options(score, 'lines like {"id": "a", "prompt": "1+1?", "steps": ["1+1=2"]}')


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
