"""Load a causal LM where there is room for it."""

from __future__ import annotations

import sys
from typing import Any

import torch
from safetensors import SafetensorError

from workers.engines.memory import DTYPES, check_fits
from workers.engines.protocol import EngineUnavailable


def load(model: str, device: str, dtype: str | None) -> Any:
    """Return a model, ready to decode; raise EngineUnavailable where it does not load or fit."""
    chosen = dtype or ("float32" if device == "cpu" else "auto")
    if chosen != "auto" and chosen not in DTYPES:
        known = ", ".join(("auto", *DTYPES))
        raise EngineUnavailable(f"there is no dtype {chosen!r}; known: {known}", retry=False)
    from transformers import AutoModelForCausalLM

    try:
        check_fits(model, device, chosen)
        loaded: Any = AutoModelForCausalLM.from_pretrained(model, dtype=chosen)
        return loaded.to(device).eval()
    except (torch.OutOfMemoryError, MemoryError) as error:
        message = f"{model} does not fit into the memory of {device}: {error}"
        raise EngineUnavailable(message, retry=False) from error
    # RuntimeError and AssertionError: devices that are not there, weights of other shapes.
    except (OSError, ValueError, RuntimeError, AssertionError, SafetensorError) as error:
        raise EngineUnavailable(f"cannot load {model}: {error}", retry=False) from error


def context(model: Any) -> int:
    """Return how many tokens a row of the model may have."""
    return getattr(model.config.get_text_config(), "max_position_embeddings", None) or sys.maxsize
