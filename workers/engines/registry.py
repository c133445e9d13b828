"""Open the engine that a labeler's configuration names; one per process and configuration."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

from labeling.domain.refusals import Invalid
from workers.engines.protocol import Engine

_open: dict[tuple[int, str], Engine] = {}
"""By process id too: a forked worker must not use its parent's connections or threads."""


class BadEngine(Invalid):
    """A configuration that names no engine."""

    code = "bad_engine"


def open_engine(spec: Mapping[str, Any]) -> Engine:
    """Return the engine of a configuration, opened once per process.

    `kind` is "transformers" (model, device, dtype, max_rows, max_prefill_tokens), "openai" (url,
    model, api_key_env, max_concurrency, timeout) or "vllm" (model, options). Keys without a value
    take the engine's defaults. Raise BadEngine for an unknown kind or key, EngineUnavailable where
    the engine does not start.
    """
    given = {key: value for key, value in spec.items() if value not in (None, "")}
    key = os.getpid(), json.dumps(given, sort_keys=True)
    if key not in _open:
        _open[key] = _opened(given)
    return _open[key]


def close_engines() -> None:
    """Close this process's engines."""
    for key in [key for key in _open if key[0] == os.getpid()]:
        _open.pop(key).close()


def _opened(given: Mapping[str, Any]) -> Engine:
    kind = str(given.get("kind"))
    if kind not in _KINDS:
        raise BadEngine(f"There is no engine {kind!r}; known: {', '.join(_KINDS)}.")
    opener, required, optional = _KINDS[kind]
    options = {key: value for key, value in given.items() if key != "kind"}
    missing = sorted(required - options.keys())
    unknown = sorted(options.keys() - required - optional)
    if missing:
        raise BadEngine(f"The engine {kind!r} needs {', '.join(missing)}.")
    if unknown:
        raise BadEngine(f"The engine {kind!r} has no setting {', '.join(unknown)}.")
    return opener(options)


# Imported when opened: the web process and other workers must not load torch or vllm.
def _transformers(options: Mapping[str, Any]) -> Engine:
    from workers.engines.transformers_engine import TransformersEngine

    return TransformersEngine(**options)


def _openai(options: Mapping[str, Any]) -> Engine:
    from workers.engines.openai_engine import OpenAIEngine

    return OpenAIEngine(**options)


def _vllm(options: Mapping[str, Any]) -> Engine:
    from workers.engines.vllm_engine import VllmEngine

    return VllmEngine(**options)


_KINDS: Mapping[str, tuple[Callable[[Mapping[str, Any]], Engine], set[str], set[str]]] = {
    "transformers": (
        _transformers,
        {"model"},
        {"device", "dtype", "max_rows", "max_prefill_tokens"},
    ),
    "openai": (_openai, {"url", "model"}, {"api_key_env", "max_concurrency", "timeout"}),
    "vllm": (_vllm, {"model"}, {"options"}),
}
