"""What a model remembers of the rows that it decodes, and which way of remembering suits it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers.cache_utils import DynamicCache, DynamicLayer

from workers.engines.attention import fold_heads
from workers.engines.fixed import Fixed
from workers.engines.loading import context
from workers.engines.memory import free_bytes
from workers.engines.prefixes import Prefixes, Tokens
from workers.engines.protocol import EngineUnavailable
from workers.engines.rolling import Rolling

_log = logging.getLogger(__name__)

BY_LENGTH = ("dynamic", "longrope")
"""Rotary positions that depend on the longest row of a pass: what was read cannot be used again."""
ROWS_SHARE = 0.4
PREFIX_SHARE = {"cpu": 1 / 16, "cuda": 1 / 4}
"""Of the memory that is free beside the weights: for rows, and for prompts that were read."""
EXACT = torch.finfo(torch.float32).eps
"""No model is more exact than this: norms are computed in float32 at most."""


class States(Protocol):
    """What a model remembers of the rows that it decodes (workers.engines.rolling, .fixed)."""

    joinable: bool
    """Whether rows may join while others go on."""

    def holds(self, rows: int, prompt: int, longest: int) -> bool: ...
    def unread(self, prompt: Tokens) -> int: ...
    def join(self, prompts: Sequence[Tokens], places: Sequence[int]) -> Tensor: ...
    def feed(self, tokens: Sequence[int]) -> Tensor: ...
    def finish(self, rows: Sequence[int]) -> None: ...
    def keep(self, rows: Sequence[int]) -> None: ...
    def clear(self) -> None: ...


@torch.inference_mode()
def open_states(model: Any, prefix_bytes: int | None, prefill_tokens: int) -> States:
    """Return Rolling where the model is seen to work with it, else Fixed.

    At most `prefix_bytes` of keys and values of prompts are kept; None = a share of what is free.
    Raise EngineUnavailable where the model works with neither.
    """
    free = free_bytes(str(model.device)) or 2**30
    if prefix_bytes is None:
        prefix_bytes = int(free * PREFIX_SHARE.get(model.device.type, 0))
    expected = torch.cat([_logits(model, text) for text in (_ONE, _OTHER, *_LONGER)])
    usual = model.config._attn_implementation
    try:
        rolling = _rolling(model, prefix_bytes, int(free * ROWS_SHARE))
        fold_heads(model)
        _check(rolling, expected)
        return rolling
    # Models differ: what Rolling knows nothing about must end here, and not in a wrong text.
    except (LookupError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        _log.warning("%s reads every prompt in full: %s", type(model).__name__, error)
    if model.config._attn_implementation != usual:
        model.set_attn_implementation(usual)
    try:
        fixed = _fixed(model, int(free * ROWS_SHARE), prefill_tokens)
        _check(fixed, expected)
    except (LookupError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        message = f"{type(model).__name__} cannot be decoded here ({error}); serve it with vLLM"
        raise EngineUnavailable(message, retry=False) from error
    return fixed


_ONE, _OTHER = (tuple(n * n % 10 for n in range(length)) for length in (40, 25))
_LONGER = ((*_ONE, 3), (*_OTHER, 4), (*_ONE, 3, 2))


def _check(states: States, expected: Tensor) -> None:
    """Raise ValueError where rows of unequal lengths have other logits than each has alone."""
    found = [states.join([_ONE, _OTHER], [0, 1]), states.feed([3, 4])]
    if states.joinable:
        states.finish([0])
        found.append(states.join(_LONGER[2:], [0]))
    states.clear()
    known = torch.cat(found)
    error = (known - expected[: len(known)]).square().mean().sqrt() / expected.std()
    # The root: what rounding can add up to over many layers.
    if not error <= max(torch.finfo(expected.dtype).eps, EXACT) ** 0.5:
        raise ValueError("its attention takes no masks, or its positions are its own")


def _rolling(model: Any, prefix_bytes: int, rows_bytes: int) -> Rolling:
    empty = _no_states(model)
    token = empty.shape[:-2].numel() * empty.shape[-1] * empty.element_size()
    return Rolling(model, empty, Prefixes(prefix_bytes), rows_bytes // token, context(model))


def _fixed(model: Any, rows_bytes: int, prefill_tokens: int) -> Fixed:
    config = model.config.get_text_config()
    token = 2 * config.hidden_size * config.num_hidden_layers * model.dtype.itemsize
    return Fixed(model, rows_bytes // token, prefill_tokens)


def _no_states(model: Any) -> Tensor:
    """Return the keys and values of no token: (layers, 2, 1, heads, 0, width)."""
    rotary = getattr(model.config.get_text_config(), "rope_parameters", None) or {}
    if rotary.get("rope_type") in BY_LENGTH:
        raise ValueError("its positions depend on the longest text")
    cache = DynamicCache(config=model.config)
    model(input_ids=torch.tensor([[1]], device=model.device), past_key_values=cache, use_cache=True)
    layers: list[Any] = cache.layers
    if any(type(layer) is not DynamicLayer for layer in layers):
        raise ValueError("its memory is no plain list of keys and values")
    states: list[Tensor] = [state for layer in layers for state in (layer.keys, layer.values)]
    return torch.stack(states).unflatten(0, (-1, 2))[..., :0, :]


def _logits(model: Any, text: Tokens) -> Tensor:
    ids = torch.tensor([text], device=model.device)
    logits: Tensor = model(input_ids=ids, use_cache=False).logits[:, -1]
    return logits
