"""Open the engine that a row of the table describes; one per process and configuration."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

from labeling.domain.engines import BadEngine, check_options, endpoints_of
from workers.engines.protocol import Engine

_open: dict[tuple[int, str], Engine] = {}
"""By process id too: a forked worker must not use its parent's connections or threads."""


def open_engine(kind: str, model: str, options: Mapping[str, Any]) -> Engine:
    """Return the engine of a configuration, opened once per process.

    `options` are those of labeling.domain.engines; without a value they take the engine's
    defaults. Raise BadEngine for a configuration that names no engine, EngineUnavailable where the
    engine does not start.
    """
    given = {key: value for key, value in options.items() if value not in (None, "")}
    check_options(kind, given)
    if not model:
        raise BadEngine("An engine needs a model.")
    if kind not in _OPENERS:
        raise BadEngine(f"An engine of kind {kind} scores steps; it completes no text.")
    key = os.getpid(), json.dumps([kind, model, given], sort_keys=True)
    if key not in _open:
        _open[key] = _OPENERS[kind](model, given)
    return _open[key]


def close_engines() -> None:
    """Close this process's engines."""
    for key in [key for key in _open if key[0] == os.getpid()]:
        _open.pop(key).close()


# Imported when opened: the web process and other workers must not load torch or vllm.
def _transformers(model: str, options: Mapping[str, Any]) -> Engine:
    from workers.engines.transformers_engine import TransformersEngine

    return TransformersEngine(model, **options)


def _openai(model: str, options: Mapping[str, Any]) -> Engine:
    from workers.engines.openai_engine import OpenAIEngine

    times = {key: options[key] for key in ("timeout", "patience") if key in options}
    return OpenAIEngine(endpoints_of(options), model, **times)


def _vllm(model: str, options: Mapping[str, Any]) -> Engine:
    from workers.engines.vllm_engine import VllmEngine

    return VllmEngine(model, options)


_OPENERS: Mapping[str, Callable[[str, Mapping[str, Any]], Engine]] = {
    "transformers": _transformers,
    "openai": _openai,
    "vllm": _vllm,
}
