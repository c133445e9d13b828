"""One timed training run of this trainer, or the evaluation of finished models."""

from __future__ import annotations

import argparse
import json
import os
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
    tokens = padded = labels = 0

    def count(step: Progress) -> None:
        nonlocal tokens, padded, labels
        tokens += step.tokens
        padded += round(step.tokens / (1 - step.padding))
        labels += step.labels

    begin, started = os.times(), time.monotonic()
    train(_config(settings), count)
    end = os.times()
    return {
        "cpu_s": end.user + end.system - begin.user - begin.system,
        "wall_s": time.monotonic() - started,
        "peak_mb": _peak_mb(),
        "gpu_mb": torch.cuda.max_memory_allocated() // 2**20 if torch.cuda.is_available() else 0,
        "tokens": tokens,
        "labels": labels,
        "padding": 1 - tokens / padded,
    }


def evaluate(settings: dict[str, Any], models: list[Path]) -> dict[str, float]:
    """Return each model's mean loss over the labels that none was trained on."""
    config = _config(settings)
    losses = {}
    for directory in models:
        model, encoder = checkpoints.load(directory)
        model.to(config.device).eval()
        held_out = load_dataset(config, encoder, Path(settings["test"]))
        losses[str(directory)] = mean_loss(model, held_out.examples, config)
    return losses


def _peak_mb() -> int:
    """The process's own: getrusage would tell the parent's peak, if that is higher."""
    rows = dict(row.split(":", 1) for row in Path("/proc/self/status").read_text().splitlines())
    return int(rows["VmHWM"].split()[0]) // 1024


def _config(settings: dict[str, Any]) -> TrainConfig:
    names = ("lr", "batch_size", "iterations", "warmup", "seed", "device", "precision")
    chosen: dict[str, Any] = {name: settings[name] for name in names}
    chosen |= {name: Path(settings[name]) for name in ("data", "backbone", "out")}
    return TrainConfig(**chosen, checkpoint_every=0)


if __name__ == "__main__":
    main()
