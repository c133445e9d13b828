"""Open process reward models; one of each per process, and not too many."""

from __future__ import annotations

import json
import os
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from workers.engines.pooling import PoolingScorer
from workers.engines.pooling_options import PoolingOptions
from workers.engines.scorers import LocalScorer, StepScorer

KEPT = 2
"""PRMs that stay open: the champion and the one before it. Local ones hold memory."""

_open: OrderedDict[tuple[int, str], StepScorer] = OrderedDict()
"""By process id too: a forked worker must not use its parent's connections."""


def open_local(directory: str | Path) -> StepScorer:
    """Return the PRM of a model directory; raise EngineUnavailable."""
    return _opened(str(directory), lambda: LocalScorer(directory))


def open_served(model: str, form: str, options: Mapping[str, Any]) -> StepScorer:
    """Return the PRM behind an engine of kind pooling; raise BadEngine or EngineUnavailable.

    `form` is a name of trainer.formats.
    """
    name = json.dumps([model, form, dict(options)], sort_keys=True)
    return _opened(name, lambda: PoolingScorer(model, form, PoolingOptions.read(options)))


def _opened(name: str, make: Callable[[], StepScorer]) -> StepScorer:
    key = os.getpid(), name
    if key not in _open:
        if len(_open) >= KEPT:  # before another model takes memory
            (process, _), scorer = _open.popitem(last=False)
            if process == os.getpid():
                scorer.close()
        _open[key] = make()
    _open.move_to_end(key)
    return _open[key]
