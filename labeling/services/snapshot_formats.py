"""Other formats of frozen snapshots: asked for, written by a worker from the native files."""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction
from django.db.models import Q

from labeling import dispatch
from labeling.domain.exports import format_named
from labeling.domain.releases import Rule, Target
from labeling.models import Snapshot, User
from labeling.services import events, snapshots
from labeling.services.freezing import renditions
from labeling.services.freezing.moments import alone_with

log = logging.getLogger("workers")

BELL_SECONDS = 20.0
"""A bell that nobody heard for so long is forgotten: the sweeper has rung again."""


@transaction.atomic
def ask(*, by: User, snapshot: Snapshot, name: str) -> None:
    """Ask for a format; a worker writes it, once the snapshot is frozen. Twice is once.

    One that failed is tried again.
    """
    form = format_named(name)
    # the snapshot may have been merged into an earlier one meanwhile, which then answers for it
    named = Q(pk=snapshot.pk) | Q(other_uids__contains=[snapshot.uid])
    snapshot = Snapshot.objects.select_for_update().get(named)
    known = snapshot.formats.get(form.name)
    if known is not None and "error" not in known:
        return
    snapshot.formats[form.name] = {}
    snapshot.save(update_fields=["formats"])
    events.record(
        by=by,
        action="format requested",
        project=snapshot.project,
        subject=snapshot.uid,
        format=form.name,
    )
    snapshots.ring(snapshot=snapshot)


def write_missing(*, by: User, snapshot: Snapshot) -> None:
    """Write the formats that were asked for and are not written yet; nothing if another does."""
    with alone_with(snapshot) as alone:
        if alone:
            snapshot = Snapshot.objects.select_related("project").get(pk=snapshot.pk)
            for name in [name for name, report in snapshot.formats.items() if not report]:
                _note(by, snapshot, name, _write(snapshot, name))


def _write(snapshot: Snapshot, name: str) -> dict[str, Any]:
    soft = Rule.from_dict(snapshot.rule).target is Target.SOFT
    folder = snapshots.folder_of(snapshot)
    try:
        return renditions.write(folder, format_named(name), name=snapshot.name, soft=soft)
    except Exception as error:
        log.exception("snapshot %s as %s", snapshot.uid, name)
        return {"error": f"{type(error).__name__}: {error}"[:1000]}


def attend() -> None:
    """Ring for frozen snapshots with formats that are asked for and not written."""
    frozen = Snapshot.objects.filter(frozen_at__isnull=False).exclude(formats={})
    for snapshot in frozen:
        if not all(snapshot.formats.values()):
            # a worker may be at it, and all others hear the bell for nothing
            dispatch.ring("workers.freeze", snapshot.uid, queue="export", expires=BELL_SECONDS)


@transaction.atomic
def _note(by: User, snapshot: Snapshot, name: str, report: dict[str, Any]) -> None:
    # A request of the web process may ask for another format meanwhile: the row's lock decides.
    found = Snapshot.objects.select_for_update().get(pk=snapshot.pk)
    found.formats[name] = report
    found.save(update_fields=["formats"])
    events.record(
        by=by,
        action="format written" if "files" in report else "format failed",
        project=found.project,
        subject=found.uid,
        format=name,
    )
