"""`score`, `best-of-n`, `export` and `serve`: use a PRM."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, TextIO

from trainer import best_of_n, candidates, hub, plots, score_file
from trainer.best_of_n import AGGREGATIONS, Summary
from trainer.candidates import Sample, Table
from trainer.cli.options import command, percent, say
from trainer.cli.sources import open_scorer, scored_in_parts, source_options
from trainer.fingerprints import model_sha256
from trainer.formats import CHECKPOINT, FORMATS, open_encoder
from trainer.items import Item, read_items
from trainer.scorers import ScoringError, Unscored


def register(commands: Any) -> None:
    """Add the commands."""
    score = command(commands, "score", _score, "print the probability that each step is right")
    source_options(score)
    data_help = 'lines like {"id": "a", "prompt": "1+1?", "steps": ["1+1=2"]}'
    score.add_argument("--data", type=Path, required=True, help=data_help)
    score.add_argument("--out", type=Path, help="write the lines here instead")
    resume_help = "keep the lines that a killed run wrote to --out, and go on behind them"
    score.add_argument("--resume", action="store_true", help=resume_help)
    best = command(commands, "best-of-n", _best_of_n, "measure how well scores pick answers")
    source_options(best, required=False)
    best.add_argument("--data", type=Path, required=True, help="sampled solutions, JSONL")
    best.add_argument("--scores", type=Path, help="their scores (from `score`), instead of a model")
    best.add_argument("--plots", type=Path, help="folder for best_of_n.svg")
    export = command(commands, "export", _export, "write a PRM as transformers and vLLM read it")
    export.add_argument("--model", required=True, help="PRM directory, or its name on the hub")
    export.add_argument("--out", type=Path, required=True, help="directory to write")
    export.add_argument("--dtype", default="bfloat16", choices=("float32", "bfloat16", "float16"))
    serve = command(commands, "serve", _serve, "print the command that serves a PRM with vLLM")
    serve.add_argument("--model", required=True, help="PRM directory, or its name on the hub")
    serve.add_argument("--format", default=CHECKPOINT, choices=FORMATS, help="(%(default)s)")


def _score(arguments: argparse.Namespace) -> dict[str, Any]:
    items = list(read_items(arguments.data))  # a bad line shows before the model is loaded
    of = _of(arguments, items) if arguments.out else {}
    rows = _kept(arguments, items, of)
    scorer = open_scorer(arguments)
    score_file.check_model(rows, items, scorer)
    done = len(rows)
    if arguments.out and not done:
        score_file.begin(arguments.out, of)
    scored = scored_in_parts(scorer, [(item.prompt, item.steps) for item in items[done:]])
    with _output(arguments.out, "a" if done else "w") as out:
        for item, values in zip(items[done:], scored, strict=True):
            rows.append(score_file.row(item.id, values))
            out.write(json.dumps(rows[-1], ensure_ascii=False) + "\n")
    unscored = sum("reason" in row for row in rows)
    if unscored:
        say(f"not scored: {unscored} of {len(items)} solutions; their lines say why")
    steps = sum(len(row["scores"] or ()) for row in rows)
    return {"solutions": len(items), "steps": steps, "unscored": unscored, "kept": done}


def _of(arguments: argparse.Namespace, items: Sequence[Item]) -> dict[str, str]:
    """Return what scores depend on; the weights behind a server are not seen from here."""
    here = not arguments.server
    folder = hub.directory(arguments.model, weights=here)
    return {
        "solutions": score_file.items_sha256(items),
        "model": model_sha256(folder, weights=here),
        "format": arguments.format,
    }


def _kept(
    arguments: argparse.Namespace, items: Sequence[Item], of: Mapping[str, str]
) -> list[dict[str, Any]]:
    if not arguments.resume:
        return []
    if arguments.out is None:
        raise ScoringError("--resume needs --out: what was printed cannot be gone on with")
    return score_file.kept(arguments.out, items, of)


def _output(path: Path | None, mode: Literal["a", "w"]) -> AbstractContextManager[TextIO]:
    """Open the file by lines: a kill costs the line being written."""
    if path is None:
        return nullcontext(sys.stdout)
    return open(path, mode, encoding="utf-8", buffering=1)


def _best_of_n(arguments: argparse.Namespace) -> dict[str, Any]:
    samples = candidates.read_samples(arguments.data)
    reports = {}
    for name, table in _tables(arguments, samples).items():
        summary = best_of_n.summarize(candidates.group(samples, table))
        _say_summary(name, summary)
        if arguments.plots:
            file = f"best_of_n{'-' if name else ''}{name.replace('/', '-')}.svg"
            plots.write(arguments.plots / file, plots.best_of_n(summary.curve))
        reports[name] = asdict(summary)
    return {"prms": reports}


def _tables(arguments: argparse.Namespace, samples: Sequence[Sample]) -> Mapping[str, Table]:
    if arguments.scores:
        return candidates.read_scores(arguments.scores)
    if not arguments.model:
        raise ScoringError("best-of-n needs --scores or --model")
    scored = scored_in_parts(open_scorer(arguments), [(s.prompt, s.steps) for s in samples])
    pairs = zip(samples, scored, strict=True)
    return {"": {s.id: tuple(v) for s, v in pairs if not isinstance(v, Unscored)}}


def _say_summary(name: str, summary: Summary) -> None:
    say(f"{name or 'Best-of-N'}: {summary.problems} problems, {summary.candidates} candidates")
    if summary.unscored:
        say(f"without scores, never chosen: {summary.unscored}")
    say(f"pass@1 {percent(summary.pass_at_1)}, pass@{summary.n} {percent(summary.pass_at_n)}")
    if summary.majority is not None:
        say(f"maj@{summary.n} {percent(summary.majority)}")
    say("             best of n   weighted vote")
    for how in AGGREGATIONS:
        vote = percent(summary.weighted_vote[how]) if summary.weighted_vote else "no answers"
        say(f"{how:10} {percent(summary.best_of_n[how]):>11} {vote:>15}")


def _export(arguments: argparse.Namespace) -> dict[str, Any]:
    import torch

    from trainer import cards, checkpoints

    model, encoder = checkpoints.load(arguments.model)
    checkpoints.save(model, encoder, arguments.out, getattr(torch, arguments.dtype))
    cards.copy(checkpoints.local(arguments.model), arguments.out)
    line = cards.serve_command(arguments.out, encoder)
    say(f"{arguments.out}: {checkpoints.layout(model)}, {arguments.dtype}; serve it with")
    say(line)
    return {"model": str(arguments.out), "serve": line}


def _serve(arguments: argparse.Namespace) -> dict[str, Any]:
    from trainer.cards import serve_command

    folder = hub.directory(arguments.model, weights=False)
    line = serve_command(arguments.model, open_encoder(arguments.format, folder), arguments.format)
    if not arguments.json:
        sys.stdout.write(line + "\n")
    return {"serve": line}
