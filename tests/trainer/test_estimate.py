"""What a run is said to need, before it starts, against what it takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig

from trainer import estimate, scratch
from trainer.config import TrainConfig, TrainError
from trainer.estimate import Estimate, Room
from trainer.training import train

Make = Callable[..., TrainConfig]
FACTOR = 2
"""How far the estimate may lie from the measured peak: allocators and kernels keep spare memory."""

MEASURED = """
    import json, sys
    from pathlib import Path
    from trainer.config import TrainConfig
    from trainer.training import train
    data, backbone, out = map(Path, sys.argv[1:])
    found = {}
    def memory_of(name):  # getrusage would tell the parent's peak, if that is higher
        rows = dict(row.split(":", 1) for row in Path("/proc/self/status").read_text().splitlines())
        return int(rows[name].split()[0]) * 1024
    def plan(told):
        found["before"] = memory_of("VmRSS")
        memory = told.memory
        found["said"] = memory.gradients + memory.optimizer + memory.activations
    train(TrainConfig(data=data, backbone=backbone, out=out, iterations=2, batch_size=48,
                      device="cpu", max_tokens=2048), None, plan)
    found["peak"] = memory_of("VmHWM")
    print(json.dumps(found))
"""


def test_the_estimate_is_within_a_factor_of_the_measured_peak(data: Path, tmp_path: Path) -> None:
    base = scratch.init([data], tmp_path / "base", vocab_size=300, hidden=256, layers=6)
    command = [sys.executable, "-c", textwrap.dedent(MEASURED), str(data), str(base)]
    done = subprocess.run(
        [*command, str(tmp_path / "run")],
        env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout.splitlines()[-1])
    taken = found["peak"] - found["before"]
    assert found["said"] > 150e6  # large enough that what else a process takes is small
    assert 1 / FACTOR < found["said"] / taken < FACTOR


def test_weights_gradients_and_moments_are_counted_exactly(config: Make) -> None:
    model = torch.nn.Module()
    model.model = torch.nn.Linear(10, 10)  # 110 numbers
    model.model.config = AutoConfig.for_model("qwen2", num_hidden_layers=2, hidden_size=32,
                                              num_attention_heads=2, vocab_size=10)  # fmt: skip
    found = estimate.estimate(model, config(), longest=10)
    assert (found.weights, found.gradients, found.optimizer) == (440, 440, 880)
    model.model.weight.requires_grad = False
    frozen = estimate.estimate(model, config(), longest=10)
    assert (frozen.weights, frozen.gradients, frozen.optimizer) == (440, 40, 80)
    halves = estimate.estimate(model, config(), longest=10, shards=2)
    assert (halves.weights, halves.gradients) == (220, 20)


def test_activations_grow_with_tokens_and_layers_and_shrink_with_checkpointing() -> None:
    def bytes_of(layers: int, tokens: int, checkpointing: bool = False) -> int:
        settings = AutoConfig.for_model("qwen2", num_hidden_layers=layers, hidden_size=32,
                                        num_attention_heads=2, vocab_size=10)  # fmt: skip
        return estimate.activations(settings, tokens, checkpointing)

    assert bytes_of(4, 200) == pytest.approx(2 * bytes_of(4, 100), rel=0.01)
    assert bytes_of(8, 100) - bytes_of(4, 100) == bytes_of(12, 100) - bytes_of(8, 100)
    assert bytes_of(8, 100, checkpointing=True) < bytes_of(8, 100) / 3


@pytest.mark.parametrize(("free", "warned"), [(112, False), (110, True)])
def test_tight_memory_is_warned_about(free: int, warned: bool) -> None:
    # 100 of 112 bytes are 89 %, of 110 are 91 %; the limit is 90 %.
    said = estimate.check(Estimate(25, 25, 25, 25), torch.device("cpu"), Room(1000, free))
    assert bool(said) == warned
    assert not warned or "only 110 B of the cpu's memory is free" in str(said)


def test_a_run_that_cannot_fit_is_refused_before_its_first_step(
    config: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimate, "room", lambda _: Room(1000, 1000))
    with pytest.raises(TrainError, match=r"memory: .* the cpu has 1 kB. Smaller max_tokens"):
        train(config())
    assert len(train(config(memory_check=False, iterations=1)).losses) == 1


def test_this_machine_says_what_memory_it_has() -> None:
    found = estimate.room(torch.device("cpu"))
    assert found is not None
    assert 10**8 < found.free <= found.total
