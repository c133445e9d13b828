"""The one door to the queue: ring a worker by task name once the transaction has committed."""

from __future__ import annotations

from typing import Any

from celery import current_app
from django.db import transaction

QUEUES = ("default", "generate", "mc", "judge", "score", "train", "export")


def ring(task: str, *args: Any, queue: str, expires: float | None = None) -> None:
    """Send a wake-up on commit. It may be lost or doubled: the database holds the work.

    After `expires` seconds in the queue nobody is woken. With the broker away the bell is dropped
    after a short try; workers.sweep rings again.
    """
    transaction.on_commit(lambda: _send(task, args, queue, expires))


def _send(task: str, args: tuple[Any, ...], queue: str, expires: float | None) -> None:
    try:
        current_app.send_task(task, args=args, queue=queue, expires=expires, retry=False)
    except current_app.connection_for_write().connection_errors:
        # the sweeper, another process, finds the work in the database
        return
