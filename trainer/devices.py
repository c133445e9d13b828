"""Where a run computes, with how many threads and in which precision."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import torch

from trainer.config import TrainConfig


def choose(name: str) -> torch.device:
    """Return the device of that name; "auto" takes a GPU where there is one."""
    if name != "auto":
        return torch.device(name)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def takes_bf16(config: TrainConfig, device: torch.device) -> bool:
    """Say whether products are taken in bfloat16 on this device."""
    if config.precision != "auto":
        return config.precision == "bf16"
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    cpu = torch.cpu
    return bool(cpu._is_avx512_bf16_supported() or cpu._is_amx_tile_supported())


def packs(config: TrainConfig, device: torch.device) -> bool:
    """Say whether packed rows pay on this device.

    oneDNN compiles a bfloat16 kernel per shape on CPU, and packed rows are of many widths: a run
    took five times as long and three times the memory.
    """
    return config.packing and not (device.type == "cpu" and takes_bf16(config, device))


def products(config: TrainConfig, device: torch.device) -> AbstractContextManager[object]:
    """Return the context in which a GPU takes products in bfloat16 where that is wanted."""
    wanted = device.type == "cuda" and takes_bf16(config, device)
    return torch.autocast("cuda", torch.bfloat16, enabled=wanted)


@contextmanager
def torch_settings(config: TrainConfig) -> Iterator[None]:
    """Set threads, seed and precision for one run and put them back afterwards."""
    threads = torch.get_num_threads()
    matmul = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    precision = matmul.fp32_precision
    torch.set_num_threads(config.threads)
    # On CPU this lets oneDNN choose the product's kernel: 1.4 x less time per step on an AVX512
    # AMD core (its results there stayed as exact as float32), where autocast was slower.
    matmul.fp32_precision = "bf16" if takes_bf16(config, torch.device("cpu")) else "ieee"
    try:
        with torch.random.fork_rng():
            torch.manual_seed(config.seed)
            yield
    finally:
        torch.set_num_threads(threads)
        matmul.fp32_precision = precision
