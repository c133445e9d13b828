"""What a run tells DeepSpeed, from what the launcher told the run."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from trainer import zero
from trainer.config import TrainConfig, TrainError
from trainer.estimate import Parts
from trainer.team import join
from trainer.zero import Zero, engine_settings, zero_settings

Make = Callable[..., TrainConfig]
SAID = "ACCELERATE_DEEPSPEED_"


def test_the_launchers_fields_become_zeros_settings() -> None:
    said = {f"{SAID}ZERO_STAGE": "3", f"{SAID}OFFLOAD_OPTIMIZER_DEVICE": "cpu",
            f"{SAID}OFFLOAD_PARAM_DEVICE": "none", "OTHER": "1"}  # fmt: skip
    expected = {"stage": 3, "offload_optimizer": {"device": "cpu", "pin_memory": True}}
    assert zero_settings(said) == expected


def test_of_a_deepspeed_file_its_section_on_zero_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "ds.json"
    section = {"stage": 2, "reduce_bucket_size": "auto", "overlap_comm": False}
    file.write_text(json.dumps({"zero_optimization": section, "train_batch_size": "auto"}))
    said = {f"{SAID}CONFIG_FILE": str(file), f"{SAID}ZERO_STAGE": "3"}
    assert zero_settings(said) == {"stage": 2, "overlap_comm": False}


def test_a_stage_that_keeps_nothing_in_parts_is_refused() -> None:
    with pytest.raises(TrainError, match=r"stage 0 is none of \(1, 2, 3\)"):
        zero_settings({f"{SAID}ZERO_STAGE": "0"})


def test_deepspeed_that_is_not_installed_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    monkeypatch.setattr(zero, "find_spec", lambda _: None)
    with pytest.raises(TrainError, match=r"DeepSpeed is not installed: pip install 'annotator\["):
        join()


def test_a_checkpoint_of_another_layout_is_refused_by_both_names(tmp_path: Path) -> None:
    torch.save({"way": "FSDP2"}, tmp_path / "numbers.pt")
    team = SimpleNamespace(way="ZeRO 3 of 2 processes")
    with pytest.raises(TrainError, match="FSDP2 wrote it, not ZeRO 3 of 2 processes"):
        Zero.numbers(team, tmp_path)
    team.way = "FSDP2"
    assert Zero.numbers(team, tmp_path) == {"way": "FSDP2"}


@pytest.mark.parametrize(
    ("kept", "device", "expected"),
    [
        # float32 weights, gradients, two moments and ZeRO's copy are 4, 4 and 12 bytes per weight
        ({"stage": 1}, "cuda", Parts(4, 4, 3)),
        ({"stage": 2}, "cuda", Parts(4, 1, 3)),
        ({"stage": 3}, "cuda", Parts(1, 1, 3)),
        ({"stage": 3, "offload_optimizer": {}, "offload_param": {}}, "cuda", Parts(0, 0, 0)),
        ({"stage": 3, "offload_optimizer": {}, "offload_param": {}}, "cpu", Parts(1, 1, 3)),
    ],
)
def test_a_device_holds_what_zero_leaves_there(
    kept: dict[str, object], device: str, expected: Parts
) -> None:
    told = SimpleNamespace(zero=kept, device=torch.device(device), world=4)
    assert Zero.parts.fget(told) == expected


@pytest.mark.skipif(
    importlib.util.find_spec("deepspeed") is None, reason="deepspeed is not installed"
)
def test_deepspeed_reads_the_settings_of_a_run_on_gpus(config: Make) -> None:
    run = config(precision="bf16", max_grad_norm=0.5)
    said = {f"{SAID}ZERO_STAGE": "3", f"{SAID}OFFLOAD_PARAM_DEVICE": "cpu"}
    settings = engine_settings(zero_settings(said), run, torch.device("cuda"))
    code = (
        "import json, sys\nfrom deepspeed.runtime.config import DeepSpeedConfig\n"
        "read = DeepSpeedConfig(json.loads(sys.argv[1]))\n"
        "print(json.dumps([read.zero_config.stage, read.zero_config.offload_param.device,"
        " read.gradient_clipping, read.torch_autocast_enabled, str(read.torch_autocast_dtype),"
        " read.managed_gradient_accumulation, read.zero_force_ds_cpu_optimizer]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(settings)],
        env={**os.environ, "DS_ACCELERATOR": "cpu"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    read = json.loads(done.stdout.splitlines()[-1])
    assert read == [3, "cpu", 0.5, True, "torch.bfloat16", False, False]
