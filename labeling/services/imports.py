"""Import problems, solutions and the labels that come with them: idempotent, line by line."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from labeling.models import Project, User
from labeling.services import events
from labeling.services.importing import garbage, reading
from labeling.services.importing.imagined import Imagined
from labeling.services.importing.ledgers import STORED, Ledger, Stored
from labeling.services.importing.options import Options, plan
from labeling.services.importing.reports import Report

__all__ = ["STORED", "count_file", "import_file"]


def import_file(
    *,
    by: User,
    project: Project,
    path: Path,
    options: Options | None = None,
    subject: str = "",
    on_progress: Callable[[Report], None] | None = None,
) -> Report:
    """Import a file of any known format; good rows go in, each bad one is reported by its line.

    The same file again adds nothing; an updated one adds what is new, fills what was empty and
    replaces its own labels. Each batch of rows is one transaction: what was stored before an
    interruption stands, and the next import goes on from there. The audit events name `subject`,
    or the file.
    """
    subject = subject or path.name[:60]
    ledger = Stored(by, project, subject)
    report = _carry_out(ledger, path, options or Options(), on_progress)
    events.record(
        by=by,
        action="file imported",
        project=project,
        subject=subject,
        rows=report.rows,
        refused=report.refused,
    )
    return report


def count_file(
    *,
    by: User,  # noqa: ARG001 - whoever asks: every service knows its actor
    project: Project,
    path: Path,
    options: Options | None = None,
    subject: str = "",  # noqa: ARG001 - nothing is recorded
    on_progress: Callable[[Report], None] | None = None,
) -> Report:
    """Return the report that `import_file` would return now, and write nothing."""
    with Imagined(project) as ledger:
        return _carry_out(ledger, path, options or Options(), on_progress)


def _carry_out(
    ledger: Ledger, path: Path, options: Options, on_progress: Callable[[Report], None] | None
) -> Report:
    report = Report()
    with closing(reading.read(*plan(path, options))) as batches, garbage.rarely_sought():
        for batch in batches:
            changes = ledger.take(batch)
            changes.add_to(report)
            report.rows += batch.rows
            report.share = batch.share
            for line, reason in batch.errors:
                report.refuse(line, reason)
            for note, line in (*batch.notes, *changes.notes):
                report.note(note, line)
            if on_progress:
                on_progress(report)
    report.share = 1.0
    return report
