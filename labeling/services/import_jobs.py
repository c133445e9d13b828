"""Imports as jobs: a file is uploaded, looked at, counted in a dry run, imported by a worker.

The row is the truth; a worker that dies loses its lease, and the next one begins the file anew:
what was stored before is found and not stored again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import OperationalError, transaction
from django.db.models import Q
from django.utils import timezone

from labeling import dispatch
from labeling.domain.phrases import Phrase
from labeling.domain.refusals import Refusal
from labeling.models import Event, Import, Project, User
from labeling.models.imports import ImportState
from labeling.services import events, imports
from labeling.services.importing import uploads
from labeling.services.importing.ledgers import commit_without_waiting
from labeling.services.importing.options import Options
from labeling.services.importing.reports import Report

LEASE = timedelta(seconds=60)
"""A batch takes a second; a worker that says nothing for a minute is gone."""

KEPT = timedelta(days=7)
"""An upload that nobody imports is removed after this time."""

STARTABLE = (
    ImportState.UPLOADED,
    ImportState.COUNTED,
    ImportState.FAILED,
    ImportState.CANCELLED,
)
log = logging.getLogger("workers")


class NotNow(Refusal):
    """A move that the import's state does not allow."""

    code = "import_not_now"


class _Superseded(Exception):
    """The row says that somebody else works on this import now, or that it was cancelled."""


@transaction.atomic
def upload(*, by: User, project: Project, part: uploads.Part) -> Import:
    """Keep an uploaded file for an import; nothing is read yet."""
    name = uploads.tidy_name(part.name or "")
    job = Import.objects.create(project=project, file_name=name, size=part.size or 0, created_by=by)
    uploads.keep(part.path, job.uid, name)
    events.record(
        by=by, action="file uploaded", project=project, subject=job.uid, name=name, size=job.size
    )
    return job


@transaction.atomic
def start(*, by: User, job: Import, options: Mapping[str, Any], dry_run: bool) -> Import:
    """Let a worker import the file, or only count what an import would do."""
    checked = Options.from_dict(options)
    job = Import.objects.select_for_update().get(pk=job.pk)
    if job.state not in STARTABLE:
        raise NotNow(
            "{file_name} is {state}: it cannot be started now",
            file_name=job.file_name,
            state=Phrase(job.state),
        )
    job.state, job.dry_run, job.options = ImportState.WAITING, dry_run, checked.to_dict()
    job.report, job.reason, job.started_at, job.finished_at = {}, "", None, None
    job.save()
    action = "import counted" if dry_run else "import started"
    events.record(by=by, action=action, project=job.project, subject=job.uid, **job.options)
    ring(job=job)
    return job


@transaction.atomic
def cancel(*, by: User, job: Import, now: datetime) -> None:
    """Stop an import; what is stored stays. The worker notices with its next batch."""
    stopped = Import.objects.filter(
        pk=job.pk, state__in=[ImportState.WAITING, ImportState.RUNNING]
    ).update(state=ImportState.CANCELLED, finished_at=now)
    if stopped:
        events.record(by=by, action="import cancelled", project=job.project, subject=job.uid)


@transaction.atomic
def discard(*, by: User, job: Import) -> None:
    """Remove an upload that is not wanted; finished imports stay as a record."""
    job = Import.objects.select_for_update().get(pk=job.pk)
    if job.state not in STARTABLE:
        raise NotNow(
            "{file_name} is {state}: it cannot be discarded",
            file_name=job.file_name,
            state=Phrase(job.state),
        )
    events.record(
        by=by, action="upload discarded", project=job.project, subject=job.uid, name=job.file_name
    )
    job.delete()
    transaction.on_commit(lambda: uploads.remove(job.uid))


def ring(*, job: Import) -> None:
    """Wake a worker for the import."""
    dispatch.ring("workers.bring_in", job.uid, queue="export")


@transaction.atomic
def claim(*, uid: str, now: datetime) -> Import | None:
    """Lease an import that waits, or whose worker is gone; None when there is nothing to do.

    Two workers may hear the bell: the row's lock lets one take the lease, the other sees it held.
    """
    waiting = Q(state=ImportState.WAITING) | Q(state=ImportState.RUNNING, lease_until__lte=now)
    job = (
        Import.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("project", "created_by")
        .filter(waiting, uid=uid)
        .first()
    )
    if job is None:
        return None
    job.state, job.lease_until = ImportState.RUNNING, now + LEASE
    job.attempt, job.started_at = job.attempt + 1, job.started_at or now
    job.save(update_fields=["state", "lease_until", "attempt", "started_at"])
    return job


def carry_out(*, by: User, job: Import) -> None:
    """Do what the claimed import asks for, and note its progress and its end."""
    try:
        report = _import(by, job)
    except _Superseded:
        return
    except OperationalError:
        raise  # the database is away: the lease runs out, and the sweeper, another process, rings
    except Refusal as error:
        log.warning("import %s: %s", job.uid, error)
        _end(job, ImportState.FAILED, reason=str(error))
    except Exception as error:
        log.exception("import %s", job.uid)
        _end(job, ImportState.FAILED, reason=f"{type(error).__name__}: {error}")
    else:
        state = ImportState.COUNTED if job.dry_run else ImportState.DONE
        _end(job, state, report=report.to_dict())
        if not job.dry_run:
            uploads.remove(job.uid)


def attend(*, by: User, now: datetime) -> None:
    """Ring for imports that wait or whose worker is gone; discard uploads that nobody imports."""
    unattended = Q(state=ImportState.WAITING) | Q(state=ImportState.RUNNING, lease_until__lte=now)
    for job in Import.objects.filter(unattended):
        ring(job=job)
    forgotten = Q(finished_at=None) | Q(finished_at__lt=now - KEPT)
    for job in Import.objects.filter(
        forgotten, state__in=STARTABLE, created_at__lt=now - KEPT
    ).select_related("project"):
        discard(by=by, job=job)


def file_of(job: Import) -> Path:
    """Return where the import's file is kept."""
    return uploads.place_of(job.uid, job.file_name)


def _import(by: User, job: Import) -> Report:
    earlier = _earlier(job)
    work = imports.count_file if job.dry_run else imports.import_file

    def progressed(report: Report) -> None:
        with transaction.atomic():
            commit_without_waiting()
            held = Import.objects.filter(
                pk=job.pk, attempt=job.attempt, state=ImportState.RUNNING
            ).update(report=report.plus(earlier).to_dict(), lease_until=timezone.now() + LEASE)
        if not held:
            raise _Superseded

    report = work(
        by=by,
        project=job.project,
        path=file_of(job),
        options=Options.from_dict(job.options),
        subject=job.uid,
        on_progress=progressed,
    )
    return report.plus(earlier)


def _earlier(job: Import) -> Report:
    """Return what earlier attempts stored: each batch left it in its event."""
    report = Report()
    if job.attempt > 1 and not job.dry_run:
        stored = Event.objects.filter(
            project=job.project_id, action=imports.STORED, subject=job.uid
        )
        for details in stored.values_list("details", flat=True).iterator():
            report = report.plus(Report(**details))
    return report


def _end(
    job: Import, state: ImportState, *, report: dict[str, Any] | None = None, reason: str = ""
) -> None:
    values: dict[str, Any] = {"report": report} if report is not None else {}
    Import.objects.filter(pk=job.pk, attempt=job.attempt, state=ImportState.RUNNING).update(
        state=state, reason=reason[:4000], finished_at=timezone.now(), lease_until=None, **values
    )
