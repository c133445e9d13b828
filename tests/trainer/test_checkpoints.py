from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel

from tests.trainer.conftest import sums
from trainer import checkpoints
from trainer.config import TrainConfig
from trainer.model import ModelError
from trainer.scoring import Scorer
from trainer.training import train

RECORD = sums(1, seed=5)[0]


@pytest.fixture
def trained(config: Callable[..., TrainConfig]) -> Path:
    return train(config(iterations=2)).model


def test_the_checkpoint_has_the_layout_that_vllm_serves(trained: Path) -> None:
    config = json.loads((trained / "config.json").read_text())
    assert config["architectures"] == ["Qwen2ForProcessRewardModel"]
    assert config["model_type"] == "qwen2"
    names = set(load_file(trained / "model.safetensors"))
    heads = {f"score.{layer}.{part}" for layer in (0, 2) for part in ("weight", "bias")}
    assert {n for n in names if not n.startswith("model.")} == heads
    assert {"model.embed_tokens.weight", "model.norm.weight"} <= names
    assert {"tokenizer.json", "prm_encoder.json", "README.md"} <= {
        p.name for p in trained.iterdir()
    }
    assert "/" not in config.get("_name_or_path", "")


def test_the_backbone_loads_in_transformers_with_every_weight(trained: Path) -> None:
    model, report = AutoModel.from_pretrained(str(trained), output_loading_info=True)
    assert type(model).__name__ == "Qwen2Model"
    assert not report["missing_keys"]


def test_the_whole_prm_loads_in_transformers_and_scores_alike(trained: Path) -> None:
    model, report = AutoModel.from_pretrained(
        str(trained), trust_remote_code=True, output_loading_info=True
    )
    assert type(model).__name__ == "Qwen2ForProcessRewardModel"
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    scorer = Scorer(trained, device="cpu")
    encoded = scorer.encoder.encode(RECORD.prompt, RECORD.steps)
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([encoded.ids])).logits[0, encoded.positions]
    expected = scorer.score(RECORD.prompt, RECORD.steps)
    assert logits.softmax(-1)[:, 1].tolist() == pytest.approx(expected, rel=1e-5)


def test_the_step_token_starts_from_the_text_that_ended_steps(word_backbone: Path) -> None:
    before = AutoModel.from_pretrained(str(word_backbone)).get_input_embeddings().weight
    model, encoder = checkpoints.start(word_backbone)
    weight = model.model.get_input_embeddings().weight
    newline = encoder.tokenizer.get_vocab()["\n"]
    assert encoder.step_id == len(before)  # the vocabulary had no room for it
    torch.testing.assert_close(weight[encoder.step_id], before[newline])
    torch.testing.assert_close(weight[: len(before)], before)


def test_training_goes_on_from_a_prm_with_its_head(trained: Path) -> None:
    first, again = checkpoints.load(trained)[0], checkpoints.start(trained, seed=9)[0]
    for a, b in zip(first.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)


def test_large_weights_are_written_in_parts_and_an_index(trained: Path, tmp_path: Path) -> None:
    model, encoder = checkpoints.load(trained)
    checkpoints.save(model, encoder, tmp_path, shard=20_000)
    parts = sorted(tmp_path.glob("*.safetensors"))
    assert len(parts) > 2
    assert all(part.stat().st_mode & 0o044 for part in parts)
    again, _ = checkpoints.load(tmp_path)
    for name, tensor in again.state_dict().items():
        assert torch.equal(tensor, model.state_dict()[name])
    checkpoints.save(model, encoder, tmp_path)  # over it: no part of the earlier one stays
    assert [part.name for part in tmp_path.glob("model*.safetensors*")] == ["model.safetensors"]


def test_missing_weights_are_refused_and_not_invented(trained: Path) -> None:
    from safetensors.torch import save_file

    tensors = load_file(trained / "model.safetensors")
    del tensors["model.norm.weight"]
    save_file(tensors, trained / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="lacks the weights"):
        checkpoints.load(trained)


def test_a_directory_that_is_no_model_is_refused(tmp_path: Path, backbone: Path) -> None:
    with pytest.raises(ModelError, match="is no directory"):
        checkpoints.start(tmp_path / "none")
    with pytest.raises(ModelError, match="no usable model"):
        checkpoints.start(tmp_path)
    with pytest.raises(ModelError, match="no process reward model"):
        checkpoints.load(backbone)
