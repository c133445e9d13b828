"""A model directory is known by what its numbers come from, and by nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.fingerprints import model_sha256

FILES = (
    "config.json",
    "prm_encoder.json",
    "tokenizer.json",
    "merges.txt",
    "special_tokens_map.json",
)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    for name in (*FILES, "model.safetensors", "pytorch_model.bin", "README.md"):
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.mark.parametrize("name", [*FILES, "model.safetensors"])
def test_another_configuration_tokenizer_or_weight_is_another_model(model: Path, name: str) -> None:
    before = model_sha256(model)
    (model / name).write_text("other")
    assert model_sha256(model) != before


@pytest.mark.parametrize("name", ["README.md", "pytorch_model.bin", "run.json"])
def test_cards_and_weights_that_are_not_read_make_no_other_model(model: Path, name: str) -> None:
    before = model_sha256(model)
    (model / name).write_text("other")
    assert model_sha256(model) == before


def test_pickled_weights_count_where_there_are_no_others(model: Path) -> None:
    (model / "model.safetensors").unlink()
    before = model_sha256(model)
    (model / "pytorch_model.bin").write_text("other")
    assert model_sha256(model) != before


def test_without_weights_the_encoder_alone_counts(model: Path) -> None:
    before = model_sha256(model, weights=False)
    (model / "model.safetensors").write_text("other")
    assert model_sha256(model, weights=False) == before
    (model / "tokenizer.json").write_text("other")
    assert model_sha256(model, weights=False) != before
