"""A model that does not fit is refused before it is loaded, with both numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from workers.engines import memory
from workers.engines.loading import load
from workers.engines.memory import check_fits, free_bytes, weight_bytes
from workers.engines.protocol import EngineUnavailable


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """100 numbers in float16 and 30 in bfloat16, 10 bytes of something quantized."""
    halves = {"a": torch.zeros(10, 10).half()}
    others = {"b": torch.zeros(30).bfloat16(), "c": torch.zeros(10).to(torch.int8)}
    save_file(halves, tmp_path / "model-1.safetensors")
    save_file(others, tmp_path / "model-2.safetensors")
    return tmp_path


@pytest.mark.parametrize(
    ("dtype", "size"),
    # 130 numbers of 2, 4 or 8 bytes, and 10 bytes that stay what they are.
    [("auto", 270), ("bfloat16", 270), ("float32", 530), ("float64", 1050)],
)
def test_weights_take_what_their_loaded_type_takes(weights: Path, dtype: str, size: int) -> None:
    assert weight_bytes(weights, dtype) == size


def test_pickled_weights_count_as_they_lie(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(bytes(77))
    assert weight_bytes(tmp_path, "float32") == 77
    assert weight_bytes(tmp_path / "none", "auto") == 0


def test_a_model_without_room_is_refused_with_both_numbers(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_machine_free", lambda: 529)
    monkeypatch.setattr(memory, "GB", 1)
    with pytest.raises(EngineUnavailable, match=r"530\.0 GB .*float32.* 529\.0 GB") as failure:
        load(str(weights), "cpu", "float32")
    assert not failure.value.retry
    check_fits(str(weights), "cpu", "float16")


def test_a_hub_name_that_is_not_here_yet_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_machine_free", lambda: 0)
    check_fits("nobody/nothing", "cpu", "float32")


def test_the_machine_says_what_is_free() -> None:
    free = free_bytes("cpu")
    assert free is not None
    assert free > 0
    assert free_bytes("meta") is None


@pytest.mark.parametrize(
    ("names", "cache"),
    [
        (("memory.max", "memory.current"), "inactive_file"),
        (("memory.limit_in_bytes", "memory.usage_in_bytes"), "total_inactive_file"),
    ],
    ids=["v2", "v1"],
)
def test_a_container_may_take_what_its_group_leaves(
    tmp_path: Path, names: tuple[str, str], cache: str
) -> None:
    assert memory._group_free(tmp_path) is None
    for name, number in zip(names, (1_000, 700), strict=True):
        (tmp_path / name).write_text(f"{number}\n")
    (tmp_path / "memory.stat").write_text(f"anon 600\n{cache} 100\n")
    # 1,000 at most, 700 in use, of which 100 are pages that the system gives back at once.
    assert memory._group_free(tmp_path) == 400


def test_a_group_without_a_limit_says_nothing(tmp_path: Path) -> None:
    for name, text in (("memory.max", "max"), ("memory.current", "5"), ("memory.stat", "")):
        (tmp_path / name).write_text(text)
    assert memory._group_free(tmp_path) is None


@pytest.mark.parametrize(
    ("device", "dtype", "words"),
    [("cpu", "int3", "no dtype 'int3'"), ("cuda:99", None, "cannot load"), ("xyz", None, "xyz")],
)
def test_what_is_not_there_is_said(
    tmp_path: Path, device: str, dtype: str | None, words: str
) -> None:
    checkpoint = Path(__file__).resolve().parents[4] / "demo" / "checkpoint"
    with pytest.raises(EngineUnavailable, match=words) as failure:
        load(str(checkpoint), device, dtype)
    assert not failure.value.retry


def test_a_broken_file_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(EngineUnavailable, match="cannot load"):
        load(str(tmp_path), "cpu", None)
