"""Ask all workers which queues they serve."""

from __future__ import annotations

from collections import Counter
from typing import Any

from celery import current_app

PATIENCE = 1.0
"""Seconds to wait for answers. A worker that is busy in its only thread may not answer in time:
the leases that it holds tell that it is there."""


def served() -> dict[str, int]:
    """Return how many worker processes serve each queue."""
    queues = current_app.control.inspect(timeout=PATIENCE).active_queues() or {}
    if not queues:
        return {}
    named = current_app.control.inspect(destination=list(queues), timeout=PATIENCE)
    pools = named.stats() or {}
    found: Counter[str] = Counter()
    for worker, consumed in queues.items():
        processes = _processes(pools.get(worker))
        for queue in {entry["name"] for entry in consumed}:
            found[queue] += processes
    return dict(found)


def _processes(stats: dict[str, Any] | None) -> int:
    """Return the size of a worker's pool; a worker that gave none counts as one process."""
    pool = (stats or {}).get("pool") or {}
    size = pool.get("max-concurrency")
    return size if isinstance(size, int) and size > 0 else 1
