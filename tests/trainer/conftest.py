"""Tiny backbones and records for the trainer's tests; made once per session."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.tiny_models import make_tiny_qwen
from trainer import scratch
from trainer.config import TrainConfig
from trainer.encoding import EncoderSpec, write_spec
from trainer.records import Record, write_jsonl

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
torch.set_num_threads(1)


def sums(count: int, seed: int = 0, split: str = "train") -> list[Record]:
    """Make running sums with some wrong steps; nothing is labeled after the first error."""
    draw = random.Random(seed)
    return [_sum(draw, f"{split}-{index}", split) for index in range(count)]


def _sum(draw: random.Random, name: str, split: str) -> Record:
    numbers = [draw.randint(0, 9) for _ in range(draw.randint(2, 6))]
    total, steps, labels, error = 0, [], [], -1
    for index, number in enumerate(numbers):
        wrong = draw.random() < 0.25
        steps.append(f"{total} + {number} = {total + number + 7 * wrong}.")
        labels.append(None if error >= 0 else int(not wrong))
        error = index if wrong and error < 0 else error
        total += number + 7 * wrong
    prompt = f"Add {', '.join(map(str, numbers))}."
    return Record(name, name, prompt, tuple(steps), tuple(labels), first_error=error, split=split)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "train.jsonl"
    write_jsonl(path, sums(48))
    return path


@pytest.fixture(scope="session")
def backbone(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Qwen2 with a byte-level BPE, template plain."""
    out = tmp_path_factory.mktemp("bpe")
    return scratch.init([data], out, vocab_size=300, hidden=32, layers=2)


@pytest.fixture(scope="session")
def word_backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Qwen2 with one token per character and no step token of its own, template plain."""
    out = make_tiny_qwen(tmp_path_factory.mktemp("words"))
    write_spec(out, EncoderSpec(template="plain", max_length=256))
    return out


@pytest.fixture(scope="session")
def chat_backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Qwen2 with a chat template and nothing said about encoding."""
    return make_tiny_qwen(tmp_path_factory.mktemp("chat"))


@pytest.fixture
def config(data: Path, backbone: Path, tmp_path: Path) -> Callable[..., TrainConfig]:
    def make(**changes: object) -> TrainConfig:
        settings = {"data": data, "backbone": backbone, "out": tmp_path / "run", "lr": 1e-3}
        settings |= {"iterations": 6, "batch_size": 8, "device": "cpu", **changes}
        return TrainConfig(**settings)

    return make
