"""The engine that a run's configuration names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings

from workers.engines.protocol import Engine
from workers.engines.registry import open_engine


def engine_of(config: Mapping[str, Any]) -> Engine:
    """Open the run's engine; a model folder inside the project is named relative to it.

    The path of a checkout is no part of a labeler's identity, so it never stands in a
    configuration (`weights` does, the hash of the model's file).
    """
    spec = dict(config["engine"])
    local = Path(settings.BASE_DIR) / str(spec.get("model", ""))
    if spec.get("kind") != "openai" and local.is_dir():
        spec["model"] = str(local)
    return open_engine(spec)
