"""The settings of an engine of kind pooling; labeling.domain.engines checks them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labeling.domain.engines import Endpoint, check_options, endpoints_of


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolingOptions:
    """Where a PRM is served and how it is asked.

    `tokenizer` is the model's folder, or its name on the hub; `max_length` (tokens) the context
    that the servers were started with, where it is shorter than the model's. `timeout` is seconds
    per attempt, `batch_tokens` the tokens in one request.
    """

    endpoints: tuple[Endpoint, ...]
    tokenizer: str
    max_length: int | None = None
    timeout: float = 120.0
    batch_tokens: int = 8_192

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> PoolingOptions:
        """Read an engine row's options; raise BadEngine, which says what is wrong."""
        check_options("pooling", options)
        own = ("tokenizer", "max_length", "timeout", "batch_tokens")
        given = {name: options[name] for name in own if options.get(name) is not None}
        return cls(endpoints=endpoints_of(options), **given)
