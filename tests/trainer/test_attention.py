"""Packed solutions must not see each other, whatever the kernel and the backbone."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.attention import varlen
from transformers import AutoModel

from tests.tiny_models import make_tiny
from trainer import attention
from trainer.attention import AttentionError, Packing

LENGTHS = (7, 1, 12, 4)
FAMILIES = ["qwen2", "qwen3", "llama", "mistral"]


def tensors() -> tuple[Tensor, Tensor, Tensor]:
    draw = torch.Generator().manual_seed(0)
    shapes = [(1, heads, sum(LENGTHS), 8) for heads in (4, 2, 2)]
    query, key, value = (torch.randn(shape, generator=draw) for shape in shapes)
    return query, key, value


def by_hand(window: int | None) -> Tensor:
    """One solution, one head and one token at a time."""
    query, key, value = tensors()
    seen = torch.zeros(1, sum(LENGTHS), 4, 8)
    begin = 0
    for length in LENGTHS:
        for place in range(begin, begin + length):
            first = begin if window is None else max(begin, place - window + 1)
            for head in range(4):
                keys, values = (t[0, head // 2, first : place + 1] for t in (key, value))
                shares = (keys @ query[0, head, place] / 8**0.5).softmax(dim=0)
                seen[0, place, head] = shares @ values
        begin += length
    return seen


def run(kernel: str, window: int | None, **more: Any) -> Tensor:
    packing = Packing(LENGTHS, kernel)
    return attention.packed(None, *tensors(), None, sliding_window=window, packing=packing, **more)[
        0
    ]


@pytest.mark.parametrize("window", [None, 1, 3, 100])
@pytest.mark.parametrize("kernel", ["each", "mask"])
def test_kernels_let_a_token_see_its_own_solution_and_no_other(
    kernel: str, window: int | None
) -> None:
    torch.testing.assert_close(run(kernel, window), by_hand(window), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("window", [None, 3])
@pytest.mark.parametrize("groups", [True, False])  # torch 2.11 has no enable_gqa
def test_the_kernel_of_variable_lengths_is_told_where_solutions_lie(
    monkeypatch: pytest.MonkeyPatch, window: int | None, groups: bool
) -> None:
    def reference(q: Tensor, k: Tensor, v: Tensor, **kw: Any) -> Tensor:
        # The contract of torch's kernel (t, heads, d), which runs on CUDA only.
        bounds = kw["cu_seq_q"]
        assert bounds.tolist() == kw["cu_seq_k"].tolist() == [0, 7, 8, 20, 24]
        assert kw["max_q"] == kw["max_k"] == 12
        assert (k.shape[1], "enable_gqa" in kw) == ((2, True) if groups else (4, False))
        back, ahead = kw["window_size"]
        assert ahead == 0
        owners = Packing(tuple(bounds.diff().tolist())).owners(q.device)
        mask = attention._causal(owners, None if back == -1 else back + 1)
        rows = (tensor.transpose(0, 1)[None] for tensor in (q, k, v))
        options = {"scale": kw["scale"], "dropout_p": 0.0}
        return attention._attend(*rows, mask, options)[0].transpose(0, 1)

    monkeypatch.setattr(varlen, "varlen_attn", reference)
    known = {*attention.NEEDED, *(["enable_gqa"] if groups else [])}
    monkeypatch.setattr(attention, "_varlen_options", lambda: known)
    torch.testing.assert_close(run("varlen", window), by_hand(window), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("device", "dtype", "head", "expected"),
    [
        ("cpu", torch.float32, 64, "each"),
        ("cuda", torch.bfloat16, 64, "varlen"),
        ("cuda", torch.float32, 64, "mask"),
        ("cuda", torch.bfloat16, 512, "mask"),
        ("mps", torch.float16, 64, "mask"),
    ],
)
def test_the_kernel_is_the_best_that_the_device_has(
    device: str, dtype: torch.dtype, head: int, expected: str
) -> None:
    query = SimpleNamespace(device=torch.device(device), dtype=dtype, shape=(1, 2, 9, head))
    assert attention.kernel(Packing((9,)), query) == expected
    assert attention.kernel(Packing((9,), "mask"), query) == "mask"
    assert attention.kernel(Packing((9,)), query, dropout=0.1) != "varlen"  # which knows none


def test_a_torch_without_the_kernel_s_options_takes_a_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = torch.device("cuda")
    query = SimpleNamespace(device=cuda, dtype=torch.bfloat16, shape=(1, 2, 9, 64))
    monkeypatch.setattr(attention, "_varlen_options", lambda: {"query", "is_causal"})
    assert attention.kernel(Packing((9,)), query) == "mask"


@pytest.mark.parametrize("family", FAMILIES)
def test_in_half_precision_the_kernel_gets_halves(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Rotary positions make queries and keys float32 again, which the varlen kernel does not take.
    backbone = AutoModel.from_pretrained(make_tiny(tmp_path, family))
    assert attention.enable(backbone)
    seen: list[torch.dtype] = []

    def spy(packing: Packing, query: Tensor, dropout: float) -> str:
        seen.append(query.dtype)
        return "each"

    monkeypatch.setattr(attention, "kernel", spy)
    with torch.autocast("cpu", torch.bfloat16):
        attention.states(backbone, (1, 2, 3, 4, 5), Packing((2, 3)))
    assert set(seen) == {torch.bfloat16}


def test_what_has_no_counterpart_is_refused() -> None:
    with pytest.raises(AttentionError, match="more than causal"):
        run("each", None, softcap=30.0)
    with pytest.raises(AttentionError, match="dropout has no kernel"):
        run("varlen", None, dropout=0.1)
    with pytest.raises(AttentionError, match="does not say where"):
        attention.packed(None, *tensors(), None)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_packed_row_gives_each_solution_the_states_it_gets_alone(
    tmp_path: Path, family: str
) -> None:
    backbone = AutoModel.from_pretrained(make_tiny(tmp_path, family)).eval()
    ids = torch.randint(4, 90, (1, sum(LENGTHS)), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        alone = [backbone(input_ids=part).last_hidden_state for part in ids.split(LENGTHS, dim=1)]
        assert attention.enable(backbone)
        more = Packing(LENGTHS).inputs(ids.device)
        together = backbone(input_ids=ids, use_cache=False, **more).last_hidden_state
    torch.testing.assert_close(together, torch.cat(alone, dim=1), rtol=1e-3, atol=1e-4)


def test_a_backbone_that_mixes_tokens_otherwise_stays_as_it_was(tmp_path: Path) -> None:
    # Layers of linear attention carry a state from one solution into the next.
    sizes = {"layer_types": ["linear_attention", "full_attention"], "head_dim": 8}
    sizes |= {"linear_num_key_heads": 2, "linear_num_value_heads": 2}
    sizes |= {"linear_key_head_dim": 8, "linear_value_head_dim": 8}
    backbone = AutoModel.from_pretrained(make_tiny(tmp_path, "qwen3_next", **sizes)).eval()
    before = backbone.config._attn_implementation
    assert not attention.enable(backbone)
    assert backbone.config._attn_implementation == before
    ids = torch.randint(4, 90, (2, 9))
    assert backbone(input_ids=ids).last_hidden_state.isfinite().all()
