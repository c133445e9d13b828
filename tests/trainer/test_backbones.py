"""Every family of backbones: train, save, and read again in transformers with the same scores."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModel, AutoModelForTokenClassification

from tests.tiny_models import make_tiny, tiny_model
from tests.trainer.conftest import sums
from trainer import checkpoints
from trainer.cli import main
from trainer.config import TrainConfig
from trainer.encoding import EncoderSpec, write_spec
from trainer.estimate import Plan
from trainer.model import ModelError, check_causal, layers
from trainer.scoring import Scorer
from trainer.training import train

# Qwen2 and Qwen2.5 are one architecture.
LAYOUTS = {
    "qwen2": "Qwen2ForProcessRewardModel",
    "qwen3": "Qwen3ForTokenClassification",
    "llama": "LlamaForTokenClassification",
    "mistral": "MistralForTokenClassification",
    # Of these transformers has no such class, or one with another head: a few lines of code help.
    "gpt2": "GPT2ForTokenClassification",
    "gemma3_text": "Gemma3ForTokenClassification",
    "olmo2": "Olmo2ForTokenClassification",
}
RECORDS = sums(4, seed=5)


@pytest.fixture(params=LAYOUTS)
def architecture(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def trained(architecture: str, config: Callable[..., TrainConfig], tmp_path: Path) -> Path:
    base = make_tiny(tmp_path / "base", architecture)
    write_spec(base, EncoderSpec(template="plain", max_length=256))
    counted = architecture != "gpt2"  # which does not run without memory
    return train(config(iterations=2, backbone=base, memory_check=counted)).model


def theirs(folder: Path, architecture: str) -> Any:
    """Load a PRM with transformers alone, every weight found."""
    loader = AutoModel if architecture == "qwen2" else AutoModelForTokenClassification
    model, report = loader.from_pretrained(
        str(folder), trust_remote_code=True, output_loading_info=True, dtype=torch.float32
    )
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    assert type(model).__name__ == LAYOUTS[architecture]
    return model.eval()


def check_alike(folder: Path, architecture: str) -> None:
    model, scorer = theirs(folder, architecture), Scorer(folder, device="cpu")
    for record in RECORDS:
        (encoded,) = scorer.encoder.encode_many([(record.prompt, record.steps)])
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([encoded.ids])).logits[0, encoded.positions]
        expected = logits.softmax(-1)[:, 1].tolist()
        assert scorer.score(record.prompt, record.steps) == pytest.approx(expected, rel=1e-5)


def test_a_trained_prm_scores_alike_in_transformers(trained: Path, architecture: str) -> None:
    check_alike(trained, architecture)
    config = json.loads((trained / "config.json").read_text())
    assert config["architectures"] == [LAYOUTS[architecture]]
    assert config["id2label"] == {"0": "wrong", "1": "right"}


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("bert", "is not causal"),
        ("eurobert", "is not causal"),  # transformers has the class that its PRM would be
        ("t5", "no decoder of"),
    ],
)
def test_what_is_no_causal_model_is_refused(kind: str, reason: str) -> None:
    sizes = {
        "num_hidden_layers": 1,
        "intermediate_size": 32,
        "num_attention_heads": 4,
        "num_layers": 1,
        "pad_token_id": 0,
    }
    config = AutoConfig.for_model(kind, hidden_size=32, d_model=32, vocab_size=40, **sizes)
    with pytest.raises(ModelError, match=reason):
        check_causal(AutoModel.from_config(config).eval())


@pytest.mark.parametrize("kind", ["gpt2", "llama", "mamba", "opt"])
def test_layers_are_found_in_every_backbone(kind: str) -> None:
    backbone = tiny_model(kind, num_hidden_layers=3).base_model
    assert len(layers(backbone)) == 3
    assert len({type(layer) for layer in layers(backbone)}) == 1


def test_memory_that_cannot_be_counted_is_said_and_stops_nothing(
    config: Callable[..., TrainConfig], tmp_path: Path
) -> None:
    base = make_tiny(tmp_path / "base", "opt", ffn_dim=64, word_embed_proj_dim=32)
    write_spec(base, EncoderSpec(template="plain", max_length=256))
    plans: list[Plan] = []
    with pytest.warns(UserWarning, match="the memory that opt takes is not known"):
        train(config(iterations=1, backbone=base), on_plan=plans.append)
    assert plans[0].memory is None


def test_an_export_scores_alike_and_says_how_to_serve_it(
    trained: Path, architecture: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "my export"
    words = ["export", "--model", str(trained), "--out", str(out), "--dtype", "float32", "--json"]
    assert main(words) == 0
    exported = json.loads(capsys.readouterr().out)
    check_alike(out, architecture)
    assert (out / "README.md").read_text() == (trained / "README.md").read_text()
    assert main(["serve", "--model", str(out)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line == exported["serve"]
    command = shlex.split(line)
    assert command[:3] == ["vllm", "serve", str(out)]
    step_id = checkpoints.load(out)[1].step_id
    assert json.loads(command[-1])["step_tag_id"] == step_id


def test_half_precision_exports_are_half_as_large(
    backbone: Path, config: Callable[..., TrainConfig], tmp_path: Path
) -> None:
    model = train(config(iterations=1)).model
    assert main(["export", "--model", str(model), "--out", str(tmp_path / "half")]) == 0
    sizes = [(f / "model.safetensors").stat().st_size for f in (model, tmp_path / "half")]
    assert sizes[1] == pytest.approx(sizes[0] / 2, rel=0.05)
    assert json.loads((tmp_path / "half" / "config.json").read_text())["dtype"] == "bfloat16"
    full, half = (Scorer(f, "cpu") for f in (model, tmp_path / "half"))
    for record in RECORDS:
        close = pytest.approx(full.score(record.prompt, record.steps), abs=0.02)
        assert half.score(record.prompt, record.steps) == close
