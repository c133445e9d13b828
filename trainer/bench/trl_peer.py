"""One timed training run of TRL's PRMTrainer, in an environment of its own.

Stands alone: it imports nothing of this project.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import AutoModelForTokenClassification, PreTrainedTokenizerFast
from trl.experimental.prm import PRMConfig, PRMTrainer


def main() -> None:
    """Train as the settings file says and print what it cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("settings", type=Path)
    settings = json.loads(parser.parse_args().settings.read_text())
    torch.set_num_threads(1)
    sys.stdout.write(json.dumps(run(settings)) + "\n")


def run(settings: dict[str, Any]) -> dict[str, object]:
    """Return seconds from the records to the written model, peak memory and tokens trained."""
    begin, started = os.times(), time.monotonic()
    tokenizer = PreTrainedTokenizerFast.from_pretrained(settings["backbone"])
    trainer = PRMTrainer(
        model=AutoModelForTokenClassification.from_pretrained(settings["backbone"]),
        args=_arguments(settings),
        train_dataset=Dataset.from_list(_rows(Path(settings["ordered"]))),
        processing_class=tokenizer,
    )
    trainer.train()
    trainer.save_model(settings["model"])
    end = os.times()
    columns = [trainer.train_dataset[name] for name in ("input_ids", "labels")]
    return {
        "cpu_s": end.user + end.system - begin.user - begin.system,
        "wall_s": time.monotonic() - started,
        "peak_mb": _peak_mb(),
        "gpu_mb": torch.cuda.max_memory_allocated() // 2**20 if torch.cuda.is_available() else 0,
        "tokens": sum(len(ids) for ids in columns[0]),
        "labels": sum(label != -100 for labels in columns[1] for label in labels),
        "losses": {r["step"]: r["loss"] for r in trainer.state.log_history if "loss" in r},
    }


def _peak_mb() -> int:
    """The process's own: getrusage would tell the parent's peak, if that is higher."""
    rows = dict(row.split(":", 1) for row in Path("/proc/self/status").read_text().splitlines())
    return int(rows["VmHWM"].split()[0]) // 1024


def _arguments(settings: dict[str, Any]) -> PRMConfig:
    on_cpu = settings["device"] == "cpu"
    return PRMConfig(
        output_dir=settings["out"],
        per_device_train_batch_size=settings["batch_size"],
        max_steps=settings["iterations"],
        train_sampling_strategy=settings["sampling"],
        learning_rate=settings["lr"],
        lr_scheduler_type="cosine",
        warmup_steps=settings["warmup"],
        weight_decay=settings["weight_decay"],
        max_length=settings["max_length"],
        step_separator=settings["separator"],
        bf16=settings["precision"] == "bf16",
        gradient_checkpointing=False,  # its default costs it a third of its speed
        use_cpu=on_cpu,
        dataloader_pin_memory=not on_cpu,
        seed=settings["seed"],
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
    )


def _rows(path: Path) -> list[dict[str, Any]]:
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        {"prompt": r["prompt"], "completions": r["steps"], "labels": [bool(x) for x in r["labels"]]}
        for r in records
    ]


if __name__ == "__main__":
    main()
