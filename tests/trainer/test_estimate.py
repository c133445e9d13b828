"""What a run is said to need, before it starts, against what it takes."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig

from tests.tiny_models import make_tiny
from trainer import estimate, scratch, training
from trainer.config import Progress, TrainConfig, TrainError
from trainer.encoding import EncoderSpec, write_spec
from trainer.estimate import Estimate, Parts, Plan, Room
from trainer.model import ProcessRewardModel
from trainer.training import train

Make = Callable[..., TrainConfig]
FACTOR = 2
"""How far the estimate may lie from the measured peak: allocators and kernels keep spare memory."""

MEASURED = """
    import json, sys
    from pathlib import Path
    from trainer.config import TrainConfig
    from trainer import training
    from trainer.training import train
    training.trial = lambda *_: 1.0  # its memory would be there before the run's
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
    halves = estimate.estimate(model, config(), longest=10, parts=Parts(2, 2, 4))
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


def held() -> int:
    """Return the bytes of the weights of all models in this process."""
    gc.collect()
    models = [found for found in gc.get_objects() if type(found) is ProcessRewardModel]
    return sum(p.numel() * p.element_size() for model in models for p in model.parameters())


def test_free_is_what_was_free_before_the_weights_came(
    config: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, plans = held(), []
    monkeypatch.setattr(estimate, "room", lambda _: Room(10**9, 10**9 - (held() - before)))
    train(config(iterations=1), None, plans.append)
    assert plans[0].room == Room(10**9, 10**9)


def test_the_time_that_a_run_takes_is_tried_before_it_starts_and_changes_nothing(
    config: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # dropout draws random numbers at each step: the trial must not have drawn any
    base = make_tiny(tmp_path / "base", "qwen2", attention_dropout=0.5)
    write_spec(base, EncoderSpec(template="plain", max_length=256))
    config = partial(config, backbone=base)
    plain = train(config(iterations=3))
    plans: list[Plan] = []
    told = train(config(iterations=3, out=config().out / "told"), None, plans.append)
    assert told.losses == plain.losses
    (plan,) = plans
    assert plan.seconds > 0
    assert str(plan).endswith(" s at the pace of a batch that was tried")
    # 0.5 tokens per second are tried
    monkeypatch.setattr(training, "trial", lambda *_: 0.5)
    train(config(iterations=3, out=config().out / "slow"), None, plans.append)
    assert plans[1].seconds == 2 * plans[1].tokens


def test_the_time_of_a_resumed_run_is_that_of_what_is_left(
    config: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(progress: Progress) -> None:
        if progress.iteration == 3:
            raise KeyboardInterrupt

    settings = config(iterations=4, checkpoint_every=1)
    with pytest.raises(KeyboardInterrupt):
        train(settings, stop)
    plans: list[Plan] = []
    monkeypatch.setattr(training, "trial", lambda *_: 0.5)
    train(replace(settings, resume=True), None, plans.append)
    left = 2 / 4  # the third step's checkpoint comes after the word of it
    assert plans[0].seconds == pytest.approx(2 * plans[0].tokens * left)


@pytest.mark.parametrize(
    ("seconds", "words"), [(99.4, "99 s"), (101, "2 min"), (5940, "99 min"), (9000, "2 h 30 min")]
)
def test_times_are_said_in_words(seconds: float, words: str) -> None:
    assert estimate.duration(seconds) == words


def test_without_the_check_nothing_is_estimated(
    config: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("no such architecture")

    monkeypatch.setattr(estimate, "activations", fail)
    with pytest.raises(ValueError, match="no such architecture"):
        train(config(iterations=1))
    plans: list[Plan] = []
    train(config(iterations=1, memory_check=False), None, plans.append)
    assert str(plans[0]).startswith("1 steps, ")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, Room(1000, 700)),
        ({"memory.max": "max", "memory.current": "300"}, Room(1000, 700)),
        ({"memory.max": "500", "memory.current": "300"}, Room(500, 200)),
        # 300 used, of which 60 + 40 are caches of files
        (
            {
                "memory.max": "500",
                "memory.current": "300",
                "memory.stat": "anon 200\ninactive_file 60\nactive_file 40",
            },
            Room(500, 300),
        ),
        ({"memory.max": "2000", "memory.current": "300"}, Room(1000, 700)),
        ({"memory.max": "500", "memory.current": "600"}, Room(500, 0)),
    ],
)
def test_what_a_container_may_still_take_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], expected: Room
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text + "\n")
    monkeypatch.setattr(estimate, "CGROUP", tmp_path)
    pages = {"SC_PAGE_SIZE": 1, "SC_PHYS_PAGES": 1000}
    monkeypatch.setattr(estimate.os, "sysconf", pages.__getitem__)
    monkeypatch.setattr(estimate, "_available", lambda _: 700)
    assert estimate.room(torch.device("cpu")) == expected


def test_this_machine_says_what_memory_it_has() -> None:
    found = estimate.room(torch.device("cpu"))
    assert found is not None
    assert 10**8 < found.free <= found.total
