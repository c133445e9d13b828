"""One timed training run of this trainer, or the evaluation of finished models."""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import torch

from trainer import checkpoints
from trainer.config import Progress, TrainConfig
from trainer.dataset import load_dataset
from trainer.gradients import mean_loss
from trainer.training import train

RECIPE = (
    "lr", "batch_size", "iterations", "warmup", "weight_decay", "seed", "device", "precision",
)  # fmt: skip


def main() -> None:
    """Train as the settings file says and print what it cost, or evaluate and print losses."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("settings", type=Path)
    parser.add_argument("--evaluate", type=Path, nargs="+", help="model directories")
    arguments = parser.parse_args()
    settings = json.loads(arguments.settings.read_text())
    torch.set_num_threads(1)
    row = evaluate(settings, arguments.evaluate) if arguments.evaluate else run(settings)
    sys.stdout.write(json.dumps(row) + "\n")


def run(settings: dict[str, Any]) -> dict[str, object]:
    """Return seconds from the records to the written model, peak memory and tokens trained."""
    steps: list[Progress] = []
    begin, started = os.times(), time.monotonic()
    losses = train(_config(settings), steps.append).losses
    end = os.times()
    tokens = sum(step.tokens for step in steps)
    return {
        "cpu_s": end.user + end.system - begin.user - begin.system,
        "wall_s": time.monotonic() - started,
        "peak_mb": _peak_mb(),
        "gpu_mb": torch.cuda.max_memory_allocated() // 2**20 if torch.cuda.is_available() else 0,
        "tokens": tokens,
        "labels": sum(step.labels for step in steps),
        "padding": 1 - tokens / sum(step.tokens / (1 - step.padding) for step in steps),
        "tokens_per_s": pace(steps),
        "losses": losses,
    }


def pace(steps: list[Progress]) -> float:
    """Return the tokens per second of a run's steps behind the first fifth.

    Until then kernels are chosen and compiled, and memory is asked for.
    """
    behind = steps[len(steps) // 5 + 1 :] or steps
    begun = 0.0 if behind is steps else steps[-len(behind) - 1].seconds
    return sum(step.tokens for step in behind) / (steps[-1].seconds - begun)


def evaluate(settings: dict[str, Any], models: list[Path]) -> dict[str, dict[str, object]]:
    """Return what each model loses on solutions that none was trained on (see differences.Losses).

    One function for all models, whoever trained them.
    """
    config = _config(settings)
    losses: dict[str, dict[str, object]] = {}
    for directory in models:
        model, encoder = checkpoints.load(directory)
        model.to(config.device).eval()
        held_out = load_dataset(config, encoder, Path(settings["test"]))
        labels = [len(example.targets) for example in held_out.examples]
        means = [mean_loss(model, [example], config) for example in held_out.examples]
        sums = [mean * count for mean, count in zip(means, labels, strict=True)]
        losses[str(directory)] = {"sums": sums, "labels": labels}
    return losses


def _peak_mb() -> int:
    """The process's own: getrusage would tell the parent's peak, if that is higher."""
    rows = dict(row.split(":", 1) for row in Path("/proc/self/status").read_text().splitlines())
    peak = rows.get("VmHWM", "").split()  # not every container's kernel tells it
    return (int(peak[0]) if peak else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) // 1024


def _config(settings: dict[str, Any]) -> TrainConfig:
    chosen: dict[str, Any] = {name: settings[name] for name in RECIPE}
    chosen |= settings.get("more", {})
    chosen |= {name: Path(settings[name]) for name in ("data", "backbone", "out")}
    return TrainConfig(**chosen, checkpoint_every=0)


if __name__ == "__main__":
    main()
