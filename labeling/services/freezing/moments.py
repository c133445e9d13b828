"""One state of the database for a whole export, one process at a time, and who watches it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.models import Count, Max

from labeling.domain.releases import EVALUATION_SET, Rule
from labeling.models import Event, Project, Snapshot

_LOCK = 0x5E1EC7
"""First half of the advisory locks' keys; the second is the snapshot's id."""

_RETRAINING = 0x5E1EC8
"""Likewise; the second is the project's id."""

FORMAT = 2
"""Counts up when the same rule and labels give other bytes than before."""


@contextmanager
def alone_with(snapshot: Snapshot) -> Iterator[bool]:
    """Give whether no other process freezes the snapshot; none begins before the end.

    Two workers may hear the bell. The advisory lock (5E1EC7, snapshot's id) decides; it ends with
    the connection through which the files are read, so a killed process never leaves it behind.
    """
    with _alone(_LOCK, snapshot.pk) as mine:
        yield mine


@contextmanager
def alone_retraining(project: Project) -> Iterator[bool]:
    """Give whether no other process freezes what this project is trained on again.

    Of two at once each might see other labels, and two trainings would follow.
    """
    with _alone(_RETRAINING, project.pk) as mine:
        yield mine


@contextmanager
def _alone(lock: int, pk: int) -> Iterator[bool]:
    keys = [lock, pk % 2**31]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", keys)
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", keys)


@contextmanager
def one_moment() -> Iterator[None]:
    """Read one state of the database throughout; within a transaction, as that one reads."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        with connection.cursor() as cursor:
            if outermost:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("SET LOCAL work_mem = '64MB'")  # the sort by content hash
        yield


def stamp(project: Project, rule: Rule) -> str:
    """Return what the bytes depend on: equal stamps, equal files.

    Every write leaves an event in its transaction, so their number and the last of them tell one
    state of the labels from another.
    """
    uids = [project.uid]
    for name in rule.without:
        match = EVALUATION_SET.fullmatch(name)
        if match and match[1] == "project":
            uids.append(match[2])
    pks = Project.objects.filter(uid__in=uids).values_list("pk", flat=True)
    seen = Event.objects.filter(project__in=list(pks)).aggregate(n=Count("pk"), last=Max("pk"))
    return json.dumps([FORMAT, project.uid, rule.to_dict(), seen], sort_keys=True)


class Watcher:
    """Tells the page how far a freeze is, through a connection of its own.

    The one that reads is in a transaction whose writes nobody would see. Within a caller's
    transaction nobody sees the snapshot yet, and nothing is told.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._pk = snapshot.pk
        self._other = None if connection.in_atomic_block else connection.copy()

    def say(self, phase: str, done: int = 0, total: int = 0) -> None:
        """Note the phase (reading, writing, formats) and how many of how many solutions."""
        if self._other is None:
            return
        progress = {"phase": phase, "done": done, "total": total, "at": time.time()}
        with self._other.cursor() as cursor:
            cursor.execute(
                "UPDATE labeling_snapshot SET progress = %s WHERE id = %s",
                [json.dumps(progress), self._pk],
            )

    def close(self) -> None:
        """Give the connection back."""
        if self._other is not None:
            self._other.close()
