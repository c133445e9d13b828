"""Adapters: only they and the head are trained, and folding them in changes no score."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.tiny_models import make_tiny
from trainer import checkpoints, lora
from trainer.attention import Packing
from trainer.config import TrainConfig, TrainError
from trainer.dataset import load_dataset
from trainer.encoding import EncoderSpec, write_spec
from trainer.gradients import accumulate
from trainer.model import ProcessRewardModel
from trainer.training import train

Make = Callable[..., TrainConfig]


def trained(
    config: TrainConfig, steps: int = 3
) -> tuple[ProcessRewardModel, object, dict[str, bool]]:
    """Do a few steps by hand; also say which parameters got a gradient."""
    model, encoder = checkpoints.start(config.backbone, seed=0)
    model.enable_packing()
    adapted = lora.adapt(model, config)
    examples = load_dataset(config, encoder).examples
    fit = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    for _ in range(steps):
        fit.zero_grad()
        accumulate(model, examples, config)
        fit.step()
    grads = {name: p.grad is not None for name, p in model.named_parameters()}
    return model, adapted, grads


def test_gradients_are_of_adapters_and_head_alone(config: Make) -> None:
    _, _, grads = trained(config(lora=4))
    assert {name for name, given in grads.items() if given} == {
        name for name in grads if "lora_" in name or name.startswith("score.")
    }
    # seven linear layers in each of two layers, two matrices each
    assert sum("lora_" in name for name in grads) == 2 * 7 * 2


@pytest.mark.parametrize("family", ["qwen2", "qwen3", "llama", "mistral"])
def test_folded_weights_score_as_the_adapters_did(
    config: Make, tmp_path: Path, family: str
) -> None:
    base = make_tiny(tmp_path / "base", family, initializer_range=0.05)
    write_spec(base, EncoderSpec(template="plain", max_length=256))
    model, adapted, _ = trained(config(lora=4, backbone=base))
    ids = torch.randint(4, 90, (1, 12), generator=torch.Generator().manual_seed(1))
    place = torch.tensor([0, 0]), torch.tensor([5, 11])
    model.eval()
    with torch.no_grad():
        before = model(ids, *place, Packing((12,))).softmax(dim=-1)
        lora.fold(model, adapted)
        after = model(ids, *place, Packing((12,))).softmax(dim=-1)
    torch.testing.assert_close(after, before, rtol=0, atol=1e-5)
    assert not [name for name in model.state_dict() if "lora" in name or "base" in name]


def test_a_run_with_adapters_learns_and_writes_a_model_like_any_other(config: Make) -> None:
    pytest.importorskip("peft")
    settings = config(lora=8, lr=1e-2, iterations=24)
    result = train(settings)
    assert result.final_loss < 0.8 * result.losses[0]
    start = checkpoints.start(settings.backbone, seed=0)[0].state_dict()
    written = load_file(result.model / "model.safetensors")
    assert written.keys() == start.keys()
    changed = {name for name in start if not torch.equal(start[name], written[name])}
    # frozen: embeddings, norms and biases
    assert changed == {name for name in start if name.startswith("score.") or "_proj.w" in name}
    assert checkpoints.load(result.model)[0].score is not None
    assert "adapters (LoRA) of rank 8" in (result.model / "README.md").read_text()


def test_gradient_checkpointing_reaches_the_adapters(config: Make, tmp_path: Path) -> None:
    kept = train(config(lora=4)).losses
    again = train(config(lora=4, gradient_checkpointing=True, out=tmp_path / "again")).losses
    assert again == pytest.approx(kept, rel=1e-5)


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from trainer.config import TrainConfig
    from trainer.training import train
    data, backbone, out = map(Path, sys.argv[1:])
    def die(step):
        if step.iteration == 5:
            os.kill(os.getpid(), signal.SIGKILL)
    train(TrainConfig(data=data, backbone=backbone, out=out, lr=1e-3, iterations=8, batch_size=8,
                      lora=4, device="cpu", checkpoint_every=3), die)
"""


def test_a_killed_run_with_adapters_goes_on_to_the_same_weights(
    config: Make, data: Path, backbone: Path, tmp_path: Path
) -> None:
    whole = train(config(lora=4, iterations=8, out=tmp_path / "whole"))
    out = tmp_path / "killed"
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(data), str(backbone), str(out)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    assert subprocess.run(command, check=False, env=environment).returncode == -9
    kept = torch.load(out / "checkpoint.pt", weights_only=True)["model"]
    assert all("lora_" in name or name.startswith("score.") for name in kept)
    resumed = train(config(lora=4, iterations=8, out=out, resume=True))
    assert (resumed.resumed_from, resumed.losses) == (3, whole.losses)
    weights = [(r.model / "model.safetensors").read_bytes() for r in (whole, resumed)]
    assert weights[0] == weights[1]


def test_without_peft_the_extra_is_named(config: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lora, "find_spec", lambda _: None)
    with pytest.raises(TrainError, match=r"lora needs peft: pip install 'annotator\[lora\]'"):
        train(config(lora=4))
