"""Note which queues are served; labeling.selectors.presence says what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from labeling.models import QueuePresence


def record(*, queues: Mapping[str, int], now: datetime) -> None:
    """Note how many worker processes serve each queue now.

    A queue that nobody serves keeps its row, which says when it was last served.
    """
    QueuePresence.objects.bulk_create(
        [
            QueuePresence(queue=queue[:30], workers=workers, seen_at=now)
            for queue, workers in sorted(queues.items())
            if workers > 0
        ],
        update_conflicts=True,
        unique_fields=["queue"],
        update_fields=["workers", "seen_at"],
    )
