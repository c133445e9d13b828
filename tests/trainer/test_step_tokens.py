from __future__ import annotations

from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.prms import QWEN_CONTROLS, make_qwen_sized
from trainer import checkpoints
from trainer.encoding import load_tokenizer


@pytest.fixture(scope="module")
def qwen_sized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_qwen_sized(tmp_path_factory.mktemp("qwen"))


def test_in_qwens_vocabulary_the_step_token_takes_a_spare_ones_place(
    qwen_sized: Path, tmp_path: Path
) -> None:
    before = load_tokenizer(qwen_sized)
    model, encoder = checkpoints.start(qwen_sized)
    assert encoder.step_id == 151_651  # what vLLM looks for unless told otherwise
    checkpoints.save(model, encoder, tmp_path)
    after = load_tokenizer(tmp_path)
    assert after.get_vocab()["<extra_0>"] == 151_651
    assert "<|quad_end|>" not in after.get_vocab()
    assert len(after) == len(before)
    others = [token for token in QWEN_CONTROLS if token != "<|quad_end|>"]
    text = "".join(others) + "x = 5\n"
    assert after(text)["input_ids"] == before(text)["input_ids"]
    assert after.eos_token_id == before.eos_token_id
    assert after.chat_template == before.chat_template
    assert set(after.all_special_tokens) == {*others, "<unk>", "<extra_0>"}
    # No row was added to the embeddings.
    weights = load_file(tmp_path / "model.safetensors")["model.embed_tokens.weight"]
    assert len(weights) == 151_936


def test_elsewhere_it_is_added_behind_the_last_token(word_backbone: Path) -> None:
    size = len(load_tokenizer(word_backbone))
    assert checkpoints.start(word_backbone)[1].step_id == size
