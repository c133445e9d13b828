"""Two processes with weights in parts train as one does (FSDP2 and DeepSpeed over gloo on CPU)."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file
from torch.testing import assert_close

from tests.trainer.conftest import sums
from trainer.batching import split
from trainer.config import TrainConfig, TrainError
from trainer.model import ProcessRewardModel
from trainer.records import write_jsonl
from trainer.resume import RunState
from trainer.team import Alone, deal
from trainer.training import train
from trainer.zero import STAGES

DEEPSPEED = pytest.mark.skipif(
    importlib.util.find_spec("deepspeed") is None, reason="deepspeed is not installed"
)
ZERO_2, ZERO_3 = (pytest.param(f"deepspeed-{size}", marks=DEEPSPEED) for size in ("7b", "72b"))
Make = Callable[..., TrainConfig]
ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "trainer" / "configs"
CLOSE = 1e-5  # of a loss: float32 sums taken in another order


def two(
    config: TrainConfig, settings: Path = CONFIGS / "fsdp-7b.yaml", **more: object
) -> subprocess.CompletedProcess[str]:
    """Train in two processes, by the launcher and the settings that the documentation names."""
    changed = {k: v for k, v in config.to_json().items() if v is not None}
    launch = ["-m", "accelerate.commands.launch", "--config_file", str(settings)]
    launch += ["--num_processes", "2", "--num_machines", "1", "--main_process_port", "0"]
    return subprocess.run(
        [sys.executable, *launch, "-m", "tests.trainer.training_process",
         json.dumps({**changed, **more})],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def result(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr[-3000:]
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("{")]
    return json.loads(line)


@pytest.mark.parametrize("kind", ["fsdp-7b", ZERO_2, ZERO_3])
def test_two_processes_train_as_one_does(config: Make, tmp_path: Path, kind: str) -> None:
    compare(config, tmp_path, kind, {})


@pytest.mark.parametrize("kind", ["fsdp-7b", ZERO_2, ZERO_3])
def test_two_processes_train_adapters_as_one_does(config: Make, tmp_path: Path, kind: str) -> None:
    compare(config, tmp_path, kind, {"lora": 4})


def compare(config: Make, tmp_path: Path, kind: str, change: dict[str, Any]) -> None:
    held_out = tmp_path / "held_out.jsonl"
    write_jsonl(held_out, sums(9, seed=5, split="test"))
    # Batches of at most 100 tokens: several for each process, and not always as many for both.
    change = {**change, "max_tokens": 100, "held_out": held_out, "evaluate_every": 2}
    one = train(config(**change, out=tmp_path / "one"))
    both = result(two(config(**change, out=tmp_path / "two"), CONFIGS / f"{kind}.yaml"))
    assert both["losses"] == pytest.approx(list(one.losses), rel=CLOSE)
    rows = [
        [
            json.loads(line)
            for line in (tmp_path / name / "train_log.jsonl").read_text().splitlines()
        ]
        for name in ("one", "two")
    ]
    assert len(rows[1]) == 6  # one process writes
    for name in ("grad_norm", "held_out_loss", "held_out_f1", "tokens", "labels", "padding"):
        for alone, shared in zip(*rows, strict=True):
            assert shared[name] == (alone[name] and pytest.approx(alone[name], rel=1e-4))
    weights = [load_file(tmp_path / n / "model" / "model.safetensors") for n in ("one", "two")]
    assert_close(weights[1], weights[0], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "lora"),
    [("fsdp-7b", 0), pytest.param("deepspeed-7b", 4, marks=DEEPSPEED),
     pytest.param("deepspeed-72b", 0, marks=DEEPSPEED)],
)  # fmt: skip
def test_a_kill_of_one_of_two_processes_is_resumed_to_the_same_losses(
    config: Make, tmp_path: Path, kind: str, lora: int
) -> None:
    settings = config(iterations=8, checkpoint_every=3, lora=lora, out=tmp_path / "killed")
    launched = CONFIGS / f"{kind}.yaml"
    assert two(settings, launched, die_at=5).returncode != 0
    assert (settings.out / "checkpoint.pt").is_dir()
    # as if the kill had come between the two renames of the next checkpoint
    (settings.out / "checkpoint.pt").rename(settings.out / "checkpoint.old")
    (settings.out / "checkpoint.partial").mkdir()
    again = result(two(settings, launched, resume=True))
    assert again["resumed_from"] == 3
    one = train(config(iterations=8, lora=lora, out=tmp_path / "one"))
    assert again["losses"] == pytest.approx(list(one.losses), rel=CLOSE)
    assert {path.name for path in settings.out.iterdir()} == {
        "model",
        "run.json",
        "train_log.jsonl",
    }


class Member(Alone):
    def __init__(self, rank: int, world: int) -> None:
        self.rank, self.world = rank, world


def test_one_process_does_not_go_on_from_the_parts_of_several(config: Make) -> None:
    settings = config(resume=True)
    (settings.out / "checkpoint.pt").mkdir(parents=True)
    with pytest.raises(TrainError, match=r"checkpoint.pt: several processes wrote it, one would"):
        train(settings)


def test_several_processes_do_not_go_on_from_the_file_of_one(tmp_path: Path) -> None:
    parts = (torch.nn.Linear(2, 2) for _ in range(2))
    model, member = ProcessRewardModel(*parts), Member(0, 2)
    member.device = torch.device("cpu")
    state = RunState(model, torch.optim.AdamW(model.parameters()), {}, member)
    state.save(tmp_path / "checkpoint.pt")
    with pytest.raises(TrainError, match=r"checkpoint.pt: one process wrote it, several would"):
        state.load(tmp_path / "checkpoint.pt")


@pytest.mark.parametrize("world", [1, 2, 3, 8])
def test_processes_get_every_batch_once_and_equally_many(world: int) -> None:
    groups = split([7, 3, 9, 4, 4, 8, 2], 10, packed=True)
    dealt = [list(deal(Member(rank, world), groups)) for rank in range(world)]
    assert len({len(part) for part in dealt}) == 1
    counted = [group for part in dealt for group, spare in part if not spare]
    assert sorted(counted) == sorted(groups)


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_configurations_say_what_is_in_parts_and_leave_precision_to_the_trainer(path: Path) -> None:
    settings = yaml.safe_load(path.read_text())
    if settings["distributed_type"] == "FSDP":
        assert settings["fsdp_config"]["fsdp_version"] == 2
    else:
        assert settings["deepspeed_config"]["zero_stage"] in STAGES
    assert settings["mixed_precision"] == "no"
    assert settings["num_processes"] % settings["num_machines"] == 0
