"""Models of many kinds write what transformers' own generation writes, or are refused."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.tiny_models import make_tiny
from workers.engines.fixed import Fixed
from workers.engines.protocol import Completion, EngineUnavailable, Sample, complete
from workers.engines.rolling import Rolling
from workers.engines.states import open_states
from workers.engines.transformers_engine import TransformersEngine

WINDOW = {"sliding_window": 8, "head_dim": 8}
GPT = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256}
SMALL_EXPERTS = {"num_local_experts": 4}
LINEAR = {
    "num_experts": 4,
    "num_experts_per_tok": 2,
    "head_dim": 8,
    "linear_num_value_heads": 4,
    "linear_num_key_heads": 2,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
    "layer_types": ["linear_attention", "full_attention"],
}
LONG = {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10_000.0}
PROMPTS = ["abc", "abcdefgh", "abcdefghijklmnopqrst", "zyx9876543210 hello", "abcdefghijk!"]


@pytest.mark.parametrize(
    ("architecture", "sizes", "states"),
    [
        ("qwen3", {"head_dim": 8}, Rolling),
        ("llama", {}, Rolling),
        ("gpt2", GPT, Rolling),  # learned positions
        ("gpt_neox", {}, Rolling),
        ("mixtral", SMALL_EXPERTS, Rolling),
        ("mistral", WINDOW, Fixed),
        ("gemma2", WINDOW | {"query_pre_attn_scalar": 8}, Fixed),
        ("gpt_oss", WINDOW | SMALL_EXPERTS, Fixed),
        ("bloom", {"n_layer": 2, "n_head": 4}, Fixed),  # biases instead of positions
        ("mpt", {"d_model": 32, "n_heads": 4, "n_layers": 2}, Fixed),
        ("qwen3_next", LINEAR, Fixed),  # half of its layers have no keys
        ("llama", {"rope_parameters": LONG}, Fixed),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.filterwarnings("ignore")
def test_greedy_texts_equal_transformers_own(
    architecture: str, sizes: dict[str, Any], states: type, tmp_path: Path
) -> None:
    engine = TransformersEngine(str(make_tiny(tmp_path, architecture, **sizes)))
    assert type(engine.decoder.batch._states) is states
    expected = [_own_text(tmp_path, prompt) for prompt in PROMPTS]
    # Twice: the second time the prompts are known.
    for _ in range(2):
        answers = complete(engine, [Sample(prompt, 0, 30, 0.0) for prompt in PROMPTS])
        assert [a.text for a in answers if isinstance(a, Completion)] == expected
    hot = [Sample(prompt, seed, 30, 1.5) for prompt in PROMPTS for seed in range(3)]
    together = complete(engine, hot)
    assert [complete(engine, [sample])[0] for sample in hot[::4]] == together[::4]
    engine.close()


def _own_text(folder: Path, prompt: str) -> str:
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    ids = tokenizer(prompt, return_tensors="pt").input_ids
    made = AutoModelForCausalLM.from_pretrained(folder).generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=30, do_sample=False
    )
    return str(tokenizer.decode(made[0, ids.shape[1] :], skip_special_tokens=True))


@pytest.mark.filterwarnings("ignore")
def test_a_model_that_cannot_be_decoded_is_refused_when_it_is_opened(tmp_path: Path) -> None:
    # Mamba takes no past keys at all: its texts would go on from nothing.
    with pytest.raises(EngineUnavailable, match="cannot be decoded here") as failure:
        TransformersEngine(str(make_tiny(tmp_path, "mamba")))
    assert not failure.value.retry


def test_a_model_without_prefix_cache_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = TransformersEngine(str(make_tiny(tmp_path, "mistral", **WINDOW)))
    assert "MistralForCausalLM reads every prompt in full" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        model = engine.decoder.model
        model.config.sliding_window = None
        model.config.layer_types = None
        assert isinstance(open_states(model, 0, 100), Rolling)
    assert not caplog.text
    engine.close()
