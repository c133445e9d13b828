"""Attention over solutions laid end to end, none of which sees another.

A row of packed solutions has no padding. Three kernels give the same result: one call per solution
(CPU), one block-diagonal mask (any device, quadratic in the row), variable lengths in one call
(CUDA in half precision). transformers calls `packed` for every layer of the backbone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from inspect import signature
from itertools import accumulate
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own convention)
from torch import Tensor

NAME = "packed"
PROBE = ((1, 2, 3, 4, 5), (5, 3, 1))  # any tokens do
CLOSE = 1e-4  # of the largest state; float32 kernels agree to about 1e-6
WIDEST_HEAD = 256  # what the variable-length kernel takes
NEEDED = {"scale", "window_size"}  # of its options; torch 2.10 has neither


class AttentionError(ValueError):
    """A backbone whose attention cannot be packed; the text says why."""


@dataclass(frozen=True, slots=True)
class Packing:
    """Say where the solutions of a packed row lie: their lengths, in order.

    `read` (n,) are the tokens, in order, whose states the last layer needs; None: of all.
    """

    lengths: tuple[int, ...]
    kernel: str = "auto"
    read: Tensor | None = None

    def inputs(self, device: torch.device) -> dict[str, Any]:
        """Return what a backbone is given besides the tokens: positions (1, t) from 0, and this."""
        positions = torch.cat([torch.arange(n) for n in self.lengths])[None]
        return {"position_ids": positions.to(device), "packing": self}

    def owners(self, device: torch.device) -> Tensor:
        """Return (t,): the solution that each token belongs to."""
        counts = torch.tensor(self.lengths, device=device)
        return torch.arange(len(self.lengths), device=device).repeat_interleave(counts)

    def bounds(self, device: torch.device) -> Tensor:
        """Return (n + 1,) int32: where each solution begins, and the end."""
        return torch.tensor([0, *accumulate(self.lengths)], dtype=torch.int32, device=device)


def register() -> None:
    """Make transformers know `packed` in this process."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, packed)


def enable(backbone: Any) -> bool:
    """Make a backbone's layers call `packed`; where it cannot, leave it as it was and say False.

    It can where two solutions in one row get the states that each gets alone: a backbone that
    mixes tokens by other means than attention fails here and not silently later.
    """
    register()
    before: str = backbone.config._attn_implementation
    training = backbone.training
    backbone.eval()
    try:
        expected = torch.cat([states(backbone, part) for part in PROBE], dim=1)
        backbone.set_attn_implementation(NAME)
        packing = Packing(tuple(len(part) for part in PROBE))
        found = states(backbone, sum(PROBE, ()), packing)
        able = bool((found - expected).abs().max() <= CLOSE * expected.abs().max())
    except (AttentionError, TypeError, ValueError):
        able = False
    finally:
        backbone.train(training)
    if not able:
        backbone.set_attn_implementation(before)
    return able


@torch.no_grad()
def states(backbone: Any, ids: tuple[int, ...], packing: Packing | None = None) -> Tensor:
    """Return a backbone's last states (1, t, h) of one row of tokens, without gradient."""
    device = next(backbone.parameters()).device
    row = torch.tensor([ids], device=device)
    more = packing.inputs(device) if packing else {}
    seen: Tensor = backbone(input_ids=row, use_cache=False, **more).last_hidden_state
    return seen.float()


def packed(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    packing: Packing | None = None,
    only: Tensor | None = None,
    softcap: float | None = None,
    s_aux: Tensor | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Return (1, t, heads, d) from query (1, heads, t, d) and key and value (1, kv heads, t, d).

    Where `only` (n,) says which tokens' results are wanted, those of others are zero or right.
    `softcap` and `s_aux` (attention sinks) have no counterpart here: they are refused.
    """
    if packing is None:
        raise AttentionError(f"{type(module).__name__} does not say where solutions begin")
    if softcap is not None or s_aux is not None or attention_mask is not None:
        raise AttentionError(f"{type(module).__name__} needs more than causal attention")
    query, key, value = _as_products(query, key, value)
    choice = kernel(packing, query, dropout)
    options = {"scale": scaling, "dropout_p": dropout}
    if only is not None and choice == "each":
        return _only(query, key, value, packing, sliding_window, options, only), None
    attend = _KERNELS[choice]
    return attend(query, key, value, packing, sliding_window, options).contiguous(), None


def _as_products(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Return tensors in the precision of autocast, which rotary positions have left."""
    device = tensors[0].device.type
    if not torch.is_autocast_enabled(device):
        return tensors
    return tuple(tensor.to(torch.get_autocast_dtype(device)) for tensor in tensors)


def kernel(packing: Packing, query: Tensor, dropout: float = 0.0) -> str:
    """Return the name of the kernel for queries (1, heads, t, d) where the packing leaves it.

    That of variable lengths knows no dropout.
    """
    if packing.kernel != "auto":
        return packing.kernel
    if query.device.type == "cpu":
        return "each"
    half = query.dtype in (torch.bfloat16, torch.float16)
    fits = query.device.type == "cuda" and half and query.shape[-1] <= WIDEST_HEAD
    return "varlen" if fits and not dropout and _varlen_options() >= NEEDED else "mask"


@cache
def _varlen_options() -> frozenset[str]:
    """Return what this torch's kernel of variable lengths can be told; none before 2.10."""
    try:
        from torch.nn.attention import varlen
    except ImportError:
        return frozenset()
    return frozenset(signature(varlen.varlen_attn).parameters)


def _each(
    query: Tensor, key: Tensor, value: Tensor, packing: Packing, window: int | None, options: Any
) -> Tensor:
    # split and not slices: a slice's backward fills a zero tensor of the whole row
    parts = (tensor.split(packing.lengths, dim=2) for tensor in (query, key, value))
    seen = []
    for q, k, v in zip(*parts, strict=True):
        length = q.shape[2]
        mask = None
        if window is not None and window < length:
            mask = _causal(torch.zeros(length, device=q.device), window)
        seen.append(_attend(q, k, v, mask, options))
    return torch.cat(seen, dim=2).transpose(1, 2)


def _only(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    packing: Packing,
    window: int | None,
    options: Any,
    only: Tensor,
) -> Tensor:
    bounds = packing.bounds(query.device).long()
    owners = torch.bucketize(only, bounds[1:], right=True)
    counts = torch.bincount(owners, minlength=len(packing.lengths)).tolist()
    places = (only - bounds[owners]).split(counts)
    queries = query[:, :, only].split(counts, dim=2)
    keys, values = (tensor.split(packing.lengths, dim=2) for tensor in (key, value))
    seen = []
    for q, k, v, place in zip(queries, keys, values, places, strict=True):
        back = place[:, None] - torch.arange(k.shape[2], device=q.device)
        mask = (back >= 0) if window is None else (back >= 0) & (back < window)
        seen.append(_attend(q, k, v, mask, options))
    result = query.new_zeros(1, query.shape[2], query.shape[1], value.shape[3])
    return result.index_copy(1, only, torch.cat(seen, dim=2).transpose(1, 2))


def _mask(
    query: Tensor, key: Tensor, value: Tensor, packing: Packing, window: int | None, options: Any
) -> Tensor:
    mask = _causal(packing.owners(query.device), window)
    return _attend(query, key, value, mask, options).transpose(1, 2)


def _varlen(
    query: Tensor, key: Tensor, value: Tensor, packing: Packing, window: int | None, options: Any
) -> Tensor:
    from torch.nn.attention import varlen

    if options["dropout_p"]:
        raise AttentionError("attention dropout has no kernel for packed solutions")
    bounds, longest = packing.bounds(query.device), max(packing.lengths)
    # the kernel takes (t, heads, d)
    more: dict[str, Any] = {"enable_gqa": query.shape[1] != key.shape[1]}
    if "enable_gqa" not in _varlen_options():
        key, value = (_widened(tensor, query.shape[1]) for tensor in (key, value))
        more = {}
    q, k, v = (tensor.squeeze(0).transpose(0, 1) for tensor in (query, key, value))
    seen = varlen.varlen_attn(
        q,
        k,
        v,
        cu_seq_q=bounds,
        cu_seq_k=bounds,
        max_q=longest,
        max_k=longest,
        scale=options["scale"],
        window_size=(-1 if window is None else window - 1, 0),
        **more,
    )
    return torch.as_tensor(seen)[None]


_KERNELS = {"each": _each, "mask": _mask, "varlen": _varlen}


def _attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, options: Any) -> Tensor:
    if mask is not None and query.is_cuda:
        # with a mask and fewer keys than queries CUDA would keep all scores, by its plainest kernel
        key, value = (_widened(tensor, query.shape[1]) for tensor in (key, value))
    return F.scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=mask,
        is_causal=mask is None,
        enable_gqa=query.shape[1] != key.shape[1],
        **options,
    )


def _widened(tensor: Tensor, heads: int) -> Tensor:
    """Return keys or values (1, heads, t, d) from those of fewer heads."""
    return tensor.repeat_interleave(heads // tensor.shape[1], dim=1)


def _causal(owners: Tensor, window: int | None) -> Tensor:
    """Return (t, t), true where a token may look: at its own solution, back to `window` tokens."""
    places = torch.arange(len(owners), device=owners.device)
    back = places[:, None] - places[None]
    mask = (owners[:, None] == owners[None]) & (back >= 0)
    return mask if window is None else mask & (back < window)
